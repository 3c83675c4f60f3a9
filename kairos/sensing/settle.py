"""Joins hints into bursts: a pure state machine over a clock that is passed in (seconds, monotonic).

A burst closes when no hint arrived for `quiet`, at the latest `cap` after its first hint. While git holds its index
lock, it stays open for up to `locked_cap`, so that a checkout is one burst: git releases the lock right before or after
HEAD moves (measured: 0.2 ms in a checkout of 5 000 files).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

QUIET_S = 0.015
CAP_S = 0.25
LOCKED_CAP_S = 30.0


@dataclass(frozen=True)
class Burst:
    """What to compare: some directories of the tree, or all of it; and whether refs may have moved.

    `started` is the time of its first hint. `thorough`: git's objects and settings may have changed as well."""

    dirs: frozenset[bytes]
    everything: bool
    git: bool
    started: float
    thorough: bool = False


@dataclass
class Settle:
    """Collects hints until a burst is due. `now` must never decrease."""

    quiet: float = QUIET_S
    cap: float = CAP_S
    locked_cap: float = LOCKED_CAP_S
    _dirs: set[bytes] = field(default_factory=set)
    _everything: bool = False
    _git: bool = False
    _thorough: bool = False
    _first: float | None = None
    _last: float = 0.0
    _locked: bool = False
    _unlocked_at: float = float("-inf")
    _not_before: float = float("-inf")

    def mark(
        self,
        now: float,
        dirs: Collection[bytes] = (),
        *,
        git: bool = False,
        everything: bool = False,
        thorough: bool = False,
    ) -> None:
        """Adds hints; `thorough` implies `git`. A call without hints has no effect."""
        git |= thorough
        if not (dirs or git or everything):
            return
        self._dirs.update(dirs)
        self._git |= git
        self._thorough |= thorough
        self._everything |= everything
        if self._first is None:
            self._first = now
        self._last = now

    def lock(self, now: float, held: bool) -> None:
        """Sets whether git holds its index lock."""
        if self._locked and not held:
            self._unlocked_at = now
        self._locked = held

    def back(self, burst: Burst, now: float, wait: float) -> None:
        """Puts back a burst that could not be finished; it is due again after `wait` seconds at the earliest."""
        self.mark(now, burst.dirs, git=burst.git, everything=burst.everything, thorough=burst.thorough)
        self._first = min(now if self._first is None else self._first, burst.started)
        self.hold(now + wait)

    def hold(self, until: float) -> None:
        """Makes no burst due before `until`."""
        self._not_before = max(self._not_before, until)

    @property
    def pending(self) -> bool:
        """Whether a burst is open."""
        return self._first is not None

    def due_at(self) -> float | None:
        """When the open burst closes if no more hints arrive; None if no burst is open."""
        if self._first is None:
            return None
        if self._locked:
            return max(self._first + self.locked_cap, self._not_before)
        begun = max(self._first, self._unlocked_at)
        calm = max(self._last, self._unlocked_at) + self.quiet
        return max(min(calm, begun + self.cap), self._not_before)

    def take(self, now: float) -> Burst | None:
        """Returns the burst if it is due, and starts a new one; else None."""
        due = self.due_at()
        if due is None or now < due or self._first is None:
            return None
        burst = Burst(frozenset(self._dirs), self._everything, self._git, self._first, self._thorough)
        self._dirs, self._everything, self._git, self._first = set(), False, False, None
        self._thorough = False
        self._not_before = float("-inf")
        return burst
