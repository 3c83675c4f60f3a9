"""Runs a command that prints a log, confined and for as long as it is watched; begins it again when it ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kairos.acting.confine import Limits, run
from kairos.clock import SECOND, machine_us
from kairos.domain.logs.lines import LogLines
from kairos.domain.secrets import redact
from kairos.errors import KairosError
from kairos.home import Home

AGAIN_S, AGAIN_MOST_S = 1.0, 300.0
"""A command that ended is begun again after so long (s), each time later, up to the second."""
_STEADY_S = 60.0
"""One that ran for so long (s) is begun again soon."""
MOST_LINES = 50_000
"""So many lines wait to be read; what comes beyond them is counted only."""
_JOURNALS = ("/var/log/journal", "/run/log/journal")
_LIMITS = Limits(wall=30 * 86_400.0, mem_mb=512, pids=64, out=64 << 10, flood=1 << 60, disk_mb=64, files=4_096)


def journal_of(unit: str, since_s: int = 0) -> list[str]:
    """The command that prints the journal of a unit and goes on: its last lines, or those after a moment (s)."""
    before = ["--since", f"@{since_s}"] if since_s else ["-n", "2000"]
    return ["journalctl", "-u", unit, "-f", "-o", "short-iso", "--no-pager", *before]


class LogCommand:
    """A command under way. `take` gives what it printed; `woken` is called, from another thread, when there is some."""

    def __init__(
        self, home: Home, root: Path, argv: Callable[[int], Sequence[str]], read_roots: Sequence[Path],
        woken: Callable[[], None], since_s: int = 0,
    ) -> None:  # fmt: skip
        """`argv` gives the command, each time it begins, by the moment (s) of what was read last; 0: nothing was."""
        self._since = since_s
        self._home, self._root, self._argv, self._woken = home, root, argv, woken
        self._read_roots = [*read_roots, *(p for p in map(Path, _JOURNALS) if p.is_dir())]
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._cut = 0
        self._why = ""
        self._parts = LogLines()
        self._stopped = threading.Event()
        self._waker, self._bell = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="log-command", daemon=True)
        self._thread.start()

    def take(self) -> tuple[list[str], int, str]:
        """(the lines since the last call, how many lines were too many, why it does not run now)."""
        with self._lock:
            found, self._lines = self._lines, []
            cut, self._cut = self._cut, 0
            return found, cut, self._why

    def close(self) -> None:
        """Ends the command, with all that it started."""
        self._stopped.set()
        os.close(self._bell)  # its other end can be read now
        self._thread.join()
        os.close(self._waker)

    def _run(self) -> None:
        patience = AGAIN_S
        while not self._stopped.is_set():
            begun = time.monotonic()
            why = self._once()
            if self._stopped.is_set():
                return
            patience = AGAIN_S if time.monotonic() - begun >= _STEADY_S else patience
            with self._lock:
                self._why = f"{why}; again in {patience:.0f} s"
            self._woken()
            self._stopped.wait(patience)
            patience = min(2 * patience, AGAIN_MOST_S)

    def _once(self) -> str:
        """Runs it once; why it ended."""
        self._parts = LogLines()
        try:
            with run(
                self._root, list(self._argv(self._since)), scratch_home=self._home.scratch, limits=_LIMITS,
                read_roots=self._read_roots, heard=self._heard, waker=self._waker,
            ) as done:  # fmt: skip
                said = redact(done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][:300])
        except (KairosError, OSError) as error:
            return redact(str(error))
        ended = f"exit {done.exit}" if done.exit is not None else f"signal {done.signal}"
        ended = f"the limit {done.stopped}" if done.stopped else ended
        return f"it ended ({ended})" + (f": {said}" if said else "")

    def _heard(self, data: bytes) -> None:
        lines = self._parts.take(data)
        if not lines:
            return
        self._since = machine_us() // SECOND
        with self._lock:
            room = max(0, MOST_LINES - len(self._lines))
            self._lines += lines[:room]
            self._cut += len(lines) - len(lines[:room])
            self._why = ""
        self._woken()
