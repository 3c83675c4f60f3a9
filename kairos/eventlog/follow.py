"""Following the log without polling: followers sleep until an append wakes them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from kairos.errors import TryAgain
from kairos.eventlog.database import FALLBACK_S, SHARED_FALLBACK_S
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded

AWAY_S = 1.0
"""Seconds between retries while the server of a shared log does not answer."""


def fallback(log: Log) -> float:
    """Seconds after which to read the log even without a notification."""
    return SHARED_FALLBACK_S if log.shared else FALLBACK_S


class Follower:
    """Yields events after a position as they arrive. `stop` from any thread ends the loop."""

    def __init__(self, log: Log, after: int) -> None:
        self._log = log
        self.position = after
        self._stopped = self._away = False
        self._listener = log.listener()

    def new(self) -> list[Recorded]:
        """The events since the last call, at most 1000, without waiting; none while the server of a shared log is
        unavailable."""
        try:
            found = list(islice(self._log.read(self.position), 1_000))  # `limit` of `read` would count erased rows, too
        except TryAgain:
            if not self._log.shared:
                raise
            self._away = True
            return []
        self._away = False
        if found:
            self.position = found[-1].position
        return found

    def wait(self, timeout_s: float | None = None) -> None:
        """Sleeps until an append, a call of `wake` or the timeout (s). Waking writes nothing."""
        patience = fallback(self._log) if timeout_s is None else timeout_s
        if not self._stopped:
            self._listener.wait(min(patience, AWAY_S) if self._away else patience)

    def __iter__(self) -> Iterator[Recorded]:
        while not self._stopped:
            found = self.new()
            yield from found
            if not found:
                self.wait()

    @property
    def stopped(self) -> bool:
        return self._stopped

    def wake(self) -> None:
        """Ends the present `wait`."""
        self._listener.wake()

    def stop(self) -> None:
        """Ends the loop after the events already read. Callable from any thread."""
        self._stopped = True
        self._listener.wake()
