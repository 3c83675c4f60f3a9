"""Following the log without polling: followers sleep on the bell that each append rings after its COMMIT."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from kairos._native import Watcher
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded

FALLBACK_S = 30.0


class Follower:
    """Yields events after a position as they come. `stop` from any thread ends the loop."""

    def __init__(self, log: Log, after: int) -> None:
        self._log = log
        self.position = after
        self._stopped = False
        self._watcher = Watcher()
        bell: Path = log.bell
        bell.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._watcher.add([os.fsencode(bell.parent)])

    def new(self) -> list[Recorded]:
        """What came since the last call, at once."""
        found = list(self._log.read(self.position, limit=1_000))
        if found:
            self.position = found[-1].position
        return found

    def wait(self, timeout_s: float = FALLBACK_S) -> None:
        """Sleeps until the bell rings, `wake` is called or the timeout passes. Waking writes nothing."""
        if not self._stopped:
            self._watcher.wait(int(timeout_s * 1000))

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
        self._watcher.wake()

    def stop(self) -> None:
        """Ends the loop after the events already read. Callable from any thread."""
        self._stopped = True
        self._watcher.wake()
