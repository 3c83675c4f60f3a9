"""Running the daemon in this process or in the background, and stopping it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kairos.daemon.daemon_log import READY as READY
from kairos.daemon.daemon_log import turn_over
from kairos.daemon.presence import running
from kairos.desk.desk import Desk
from kairos.errors import Denied, IntegrityError, KairosError, Locked, NoDaemon, TryAgain, UsageError
from kairos.privacy import open_private

START_S, STOP_S = 30.0, 15.0
_WHEN = re.compile(r"^\S+ \[\d+\] ")
"""The time and the pid at the start of a line of the daemon's log."""


def run_here(
    desk: Desk,
    *,
    on_ready: Callable[[], None],
    report: Callable[[str], None],
) -> int:
    """Runs the daemon in this process until a signal ends it; returns its exit code. Locked (11)."""
    from kairos.daemon.running import run
    from kairos.desk.traces import clean

    desk.home.prepare()
    return run(
        desk.home,
        desk.config,
        clean=partial(clean, desk.home),
        on_ready=on_ready,
        report=report,
    )


def command(desk: Desk) -> list[str]:
    """The command that starts the daemon of this program on this home, from any working directory."""
    return [sys.executable, "-P", "-m", "cli", *home_flag(desk), "daemon", "run"]


def home_flag(desk: Desk) -> list[str]:
    """`--home DIR` when the home is not the platform's own."""
    chosen = desk.home_override or os.environ.get("KAIROS_HOME")
    return ["--home", str(desk.home.data)] if chosen else []


def start(desk: Desk) -> tuple[int, bool]:
    """(The pid of the running daemon, whether it was started now.) TryAgain (75) while it is still starting."""
    _ = desk.config  # a wrong configuration is reported here, not in the daemon's output file
    pid = running(desk.home)
    return (_spawn(desk), True) if pid is None else (pid, False)


def _spawn(desk: Desk) -> int:
    """Starts a daemon in its own session and waits until it reports that it is watching; returns its pid."""
    desk.home.prepare()
    record = desk.home.daemon_log
    turn_over(record)
    with os.fdopen(open_private(record, os.O_WRONLY | os.O_APPEND), "wb") as sink:
        begun = os.fstat(sink.fileno()).st_size
        child = subprocess.Popen(
            command(desk), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
            cwd=desk.home.data,
        )  # fmt: skip
    # It outlives this call; while this process lives, it must not remain as a zombie when it ends.
    threading.Thread(target=child.wait, name="daemon", daemon=True).start()
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        said = record.read_bytes()[begun:].decode("utf-8", "replace")
        if any(line.endswith(f" [{child.pid}] {READY}") for line in said.splitlines()):
            return child.pid
        code = child.poll()
        if code is not None:
            raise _ended(code, said, record)
        time.sleep(0.05)
    raise TryAgain(f"the daemon (pid {child.pid}) is still starting", "Check again with `kairos status`.")


def _ended(code: int, said: str, record: Path) -> KairosError:
    """The error for a daemon that ended at once: its last output and its exit code."""
    lines = [_WHEN.sub("", line) for line in said.strip().splitlines()]
    errors = [line for line in lines if line.startswith("error: ")]
    last = errors[-1].removeprefix("error: ") if errors else (lines or ["it printed nothing"])[-1]
    failure = KairosError(
        f"the daemon exited at once ({code}): {last}",
        f"Its full output is in {record}; `kairos doctor` checks the usual causes.",
    )
    failure.code = code if code > 0 else 1
    failure.name = {known.code: known.name for known in (UsageError, Denied, IntegrityError, Locked, TryAgain)}.get(
        failure.code, failure.name
    )
    return failure


def stop(desk: Desk) -> None:
    """Makes the daemon finish its work and returns when it has released the home. NoDaemon (10), TryAgain (75)."""
    pid = running(desk.home)
    if not pid:
        raise NoDaemon("no daemon is running", "`kairos start` starts one.")
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        raise TryAgain("the daemon has just ended", "Check again with `kairos status`.") from None
    deadline = time.monotonic() + STOP_S
    while running(desk.home) is not None:
        if time.monotonic() >= deadline:
            raise TryAgain(
                f"the daemon (pid {pid}) is still finishing its work after {STOP_S:g} s",
                "Check again with `kairos status`.",
            )
        time.sleep(0.05)
