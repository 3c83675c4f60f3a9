"""When a repository that cannot be read is looked at again."""

from __future__ import annotations

from kairos.repo.health import Vitals

FIRST_S = 1.0
MOST_S = 15.0


class Retry:
    """Waits twice as long after each failure. `due`: when to look again, None while nothing is wrong or a look runs."""

    def __init__(self) -> None:
        self.due: float | None = None
        self._wait = 0.0
        self._vitals: Vitals = ()

    def failed(self, now: float, vitals: Vitals) -> None:
        """It could not be read. A failure of a repository that has changed since the last one counts as the first."""
        self._wait = min(MOST_S, 2 * self._wait) if self._wait and vitals == self._vitals else FIRST_S
        self._vitals = vitals
        self.due = now + self._wait

    def hurry(self, now: float, vitals: Vitals) -> None:
        """Brings the next look forward to now if the repository has changed since the failure."""
        if self.due is not None and vitals != self._vitals:
            self.due = min(self.due, now)

    def take(self, now: float) -> bool:
        """Whether the next look is due; then it is being made."""
        if self.due is None or now < self.due:
            return False
        self.due = None
        return True

    def over(self) -> None:
        """It could be read."""
        self.due, self._wait = None, 0.0
