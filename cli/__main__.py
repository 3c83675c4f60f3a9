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
    _fill_closed_streams()
    from cli.main import defect, main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.freeze()
    gc.enable()
    try:
        code = main(sys.argv[1:])
    except Exception as error:  # noqa: BLE001  # whatever it is, a person gets a sentence and an exit code
        code = defect(sys.argv[1:], error)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(code)  # shutting down the interpreter takes another tenth and is not needed


def _fill_closed_streams() -> None:
    """Opens /dev/null where standard input, output or error is closed: a database that gets the number of a closed
    stream would be written to by the next message."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


if __name__ == "__main__":
    run()
