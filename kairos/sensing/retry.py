"""Decides when to look again at a repository that cannot be read."""

from __future__ import annotations

from kairos.repo.health import Vitals

FIRST_S = 1.0
MOST_S = 15.0


class Retry:
    """Doubles the delay after each failure. `due`: when to look again, None if there is no failure or a look runs."""

    def __init__(self) -> None:
        self.due: float | None = None
        self._wait = 0.0
        self._vitals: Vitals = ()

    def failed(self, now: float, vitals: Vitals) -> None:
        """Records a failed read. If the repository has changed since the last failure, the delay starts over."""
        self._wait = min(MOST_S, 2 * self._wait) if self._wait and vitals == self._vitals else FIRST_S
        self._vitals = vitals
        self.due = now + self._wait

    def hurry(self, now: float, vitals: Vitals) -> None:
        """Brings the next look forward to now if the repository has changed since the failure."""
        if self.due is not None and vitals != self._vitals:
            self.due = min(self.due, now)

    def take(self, now: float) -> bool:
        """Whether the next look is due; if so, clears `due`, since the caller looks now."""
        if self.due is None or now < self.due:
            return False
        self.due = None
        return True

    def over(self) -> None:
        """Records a successful read."""
        self.due, self._wait = None, 0.0
