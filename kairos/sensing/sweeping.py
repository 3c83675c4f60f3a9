"""Sweeps: slow comparisons of the whole tree that find what left no hint, such as writes through mmap or over NFS.

One sweep is cut into slices with pauses between them, and only one repository of a process sweeps at a time, so sweeps
take at most a fraction of one processor. A sweep holds a bounded number of listings in memory; it only finds dirty
directories, and the next look compares and records them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from kairos.sensing.listings import Hinting, TreeOnDisk, absolute

ROWS = 256
"""How many directories are compared at once; what bounds the memory."""
AT_ONCE = 2_000
"""So many dirty directories are looked at before the sweep goes on."""
SLICE_S = 0.025
"""Length of a slice."""
REST = 5.0
"""A pause is this many times as long as the slice before it."""
STALE_S = 60.0
"""After so long without a slice, another repository may take the turn: the disk of the one that has it hangs."""


class SweepTurns:
    """Lets one repository of a process sweep at a time. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: object | None = None
        self._seen = 0.0
        self._waiting: dict[object, Callable[[], None]] = {}

    def take(self, who: object, now: float, wake: Callable[[], None]) -> bool:
        """Whether `who` has the turn now. If not, `wake` is called once when the turn is free again."""
        with self._lock:
            if self._holder in (None, who) or now - self._seen > STALE_S:
                self._holder, self._seen = who, now
                self._waiting.pop(who, None)
                return True
            self._waiting[who] = wake
            return False

    def waits(self, who: object) -> bool:
        """Whether `who` asked for the turn and was not woken yet."""
        with self._lock:
            return who in self._waiting

    def leave(self, who: object) -> None:
        """Gives up the turn, or the wish for it."""
        with self._lock:
            self._waiting.pop(who, None)
            if self._holder is not who:
                return
            self._holder = None
            first = next(iter(self._waiting), None)
            if first is not None:
                self._waiting.pop(first)()


class Sweeper:
    """Decides when one repository sweeps, and sweeps it. `now` is in seconds, monotonic."""

    def __init__(self, turns: SweepTurns, interval_s: float, wake: Callable[[], None]) -> None:
        """`wake` is called, from any thread, when a sweep that is due may begin."""
        self._turns = turns
        self._interval = interval_s
        self._wake = wake
        self._due = self._next_slice = 0.0
        self._cursor: bytes | None = None
        self._found: set[bytes] = set()
        self._ignored = 0

    def due_at(self, now: float) -> float:
        """When to call `begin` or `slice` next."""
        if self._cursor is not None:
            return self._next_slice
        return max(self._due, now + STALE_S) if self._turns.waits(self) else self._due

    def begin(self, now: float, tree: TreeOnDisk) -> bool:
        """Begins a sweep if one is due and no other repository sweeps; whether it did."""
        if self._cursor is not None or now < self._due or not self._turns.take(self, now, self._wake):
            return False
        self._due, self._next_slice = now + self._interval, now
        self._cursor, self._found, self._ignored = b"", set(), 0
        tree.begin_sweep()
        return True

    def slice(self, now: float, tree: TreeOnDisk, hints: Hinting) -> set[bytes]:
        """Sweeps on if a slice is due. Returns the dirty directories when the sweep is done or many were found, and
        until then none: a file that moved between two of them is compared in one look."""
        if self._cursor is None or now < self._next_slice:
            return set()
        if not self._turns.take(self, now, self._wake):  # this thread was held up, and another repository sweeps
            self._cursor, self._due = None, now
            return set()
        end, first = now, True
        while self._cursor is not None and (first or end - now < SLICE_S):
            found, first = tree.sweep(self._cursor, ROWS), False
            self._found |= found.differing
            self._found |= _watched_late(tree, hints, found.dirs)
            self._ignored += found.ignored
            self._cursor, end = found.rest, time.monotonic()
        if self._cursor is not None:
            self._next_slice = end + REST * (end - now)
            return self._take() if len(self._found) >= AT_ONCE else set()
        tree.ignored = self._ignored
        tree.end_sweep()
        self._turns.leave(self)
        return self._take()

    def _take(self) -> set[bytes]:
        found, self._found = self._found, set()
        return found

    def put_off(self, now: float) -> None:
        """The whole tree was compared: the next sweep is due an interval from now, and one that runs ends here."""
        self.stop()
        self._due = now + self._interval

    def stop(self) -> None:
        """Ends the sweep that runs, and lets another repository begin."""
        self._cursor, self._found = None, set()
        self._turns.leave(self)


def _watched_late(tree: TreeOnDisk, hints: Hinting, dirs: list[bytes]) -> set[bytes]:
    """Watches the directories that lost their watch; returns them, because their changes left no hint."""
    names = {absolute(tree.root, dir): dir for dir in dirs}
    missing = hints.missing(list(names))
    return {names[late] for late in hints.confirm(missing)} if missing else set()
