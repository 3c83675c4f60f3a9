"""The `kairos` command, also as `python -P -m cli`. Startup dominates the time of a command, so it is kept short."""

from __future__ import annotations

import gc
import os
import signal
import sys


def run() -> None:
    """Runs the command line and ends the process with its exit code."""
    gc.disable()  # imports make no garbage, and collecting takes a tenth of the startup time
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while importing ends quietly, as in any program
    from cli.main import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.freeze()
    gc.enable()
    code = main(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(code)  # shutting down the interpreter takes another tenth and is not needed


if __name__ == "__main__":
    run()
