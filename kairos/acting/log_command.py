"""Runs a command that prints a log, confined and for as long as it is watched; begins it again when it ends.

```
begin ──▶ runs ──▶ ends ──▶ waits 1 s, 2 s, … 5 min ──▶ begin
            │                     (1 s again after a minute's run)
          close ──▶ the launcher ends it with all that it started, as it does when this process is gone
```
One thread waits in the launcher; it wakes only when there is output, the command ends, or it is closed.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from kairos.acting.confine import ConfinedRun, Limits, run
from kairos.domain.logs.lines import LogLines
from kairos.domain.secrets import redact
from kairos.errors import KairosError
from kairos.home import Home

AGAIN_S, AGAIN_MOST_S = 1.0, 300.0
"""A command that ended is begun again after so long (s), each time twice as long, up to the second."""
STEADY_S = 60.0
"""One that ran for so long (s) runs well: why the one before ended is of no interest any more."""
MOST_LINES = 5_000
"""So many lines wait to be taken; then the command waits, too, as a pipe makes any writer wait."""
_LIMITS = Limits(wall=30 * 86_400.0, mem_mb=512, pids=64, out=16 << 10, flood=1 << 60, disk_mb=64, files=4_096)


class LogCommandNews(NamedTuple):
    """What a command said since it was asked last. `begun`: it began (again) before these lines; `why`: why it ended or
    cannot run, empty while it runs well."""

    lines: list[str]
    begun: bool
    why: str


class LogCommand:
    """A command under way. `take` gives what it printed; `woken` is called, from its thread, when there is news."""

    def __init__(
        self, home: Home, root: Path, argv: Callable[[], Sequence[str]], read_roots: Sequence[Path],
        woken: Callable[[], None], sift: Callable[[Sequence[str]], list[str]] = list,
    ) -> None:  # fmt: skip
        """`argv` gives the command, each time it begins; `sift` which of its lines count. Both are called from its
        thread only."""
        self._home, self._root, self._argv, self._read_roots = home, root, argv, read_roots
        self._woken, self._sift = woken, sift
        self._news = threading.Condition()
        self._lines: list[str] = []
        self._begun = False
        self._why = ""
        self._began_at: float | None = None
        self._parts = LogLines()
        self._closed = threading.Event()
        self._waker, self._bell = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="log-command", daemon=True)
        self._thread.start()

    def take(self) -> LogCommandNews:
        """What there is since the last call."""
        with self._news:
            steady = self.steady_in()
            if steady is not None and steady <= 0:
                self._why = ""
            found = LogCommandNews(self._lines, self._begun, self._why)
            self._lines, self._begun = [], False
            self._news.notify_all()
            return found

    def steady_in(self) -> float | None:
        """In how many seconds a command that ended before will be said to run well; None if nothing is to be said."""
        if not self._why or self._began_at is None:
            return None
        return self._began_at + STEADY_S - time.monotonic()

    def close(self) -> None:
        """Ends the command with all that it started, and returns when it is gone."""
        if self._closed.is_set():
            return
        self._closed.set()
        os.close(self._bell)  # its other end can be read now
        with self._news:
            self._news.notify_all()
        self._thread.join()
        os.close(self._waker)

    def _run(self) -> None:
        patience = AGAIN_S
        while True:
            begun = time.monotonic()
            why = self._once(begun)
            if self._closed.is_set():
                return
            patience = AGAIN_S if time.monotonic() - begun >= STEADY_S else patience
            with self._news:
                self._why, self._began_at = why, None
            self._woken()
            if self._closed.wait(patience):
                return
            patience = min(2 * patience, AGAIN_MOST_S)

    def _once(self, begun: float) -> str:
        """Runs it once; why it ended."""
        self._parts = LogLines()
        with self._news:
            self._begun, self._began_at = True, begun
        try:
            with run(
                self._root, list(self._argv()), scratch_home=self._home.scratch, limits=_LIMITS,
                read_roots=self._read_roots, heard=self._heard,
                waker=self._waker,
            ) as done:  # fmt: skip
                self._heard(b"\n")  # the last line may have no end
                return _how_it_ended(done)
        except KairosError as error:
            return redact(error.message)
        except OSError as error:
            return f"it cannot be run: {error.strerror}"

    def _heard(self, data: bytes) -> None:
        lines = self._sift(self._parts.take(data))
        if not lines:
            return
        with self._news:
            self._lines += lines
        self._woken()
        with self._news:
            self._news.wait_for(lambda: len(self._lines) < MOST_LINES or self._closed.is_set())


def _how_it_ended(done: ConfinedRun) -> str:
    said = redact(done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][:300])
    if done.exit in (126, 127):
        return f"it cannot be run: {said.removeprefix('kairos: cannot run ').partition(' (os error')[0]}"
    ended = f"exit {done.exit}" if done.exit is not None else f"signal {done.signal}"
    ended = f"the limit {done.stopped}" if done.stopped else ended
    return f"it ended ({ended})" + (f": {said}" if said else "")
