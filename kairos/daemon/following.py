"""Follows the log for all threads of the daemon: waits for an append, folds, wakes the threads concerned."""

from __future__ import annotations

from kairos.daemon.folded import World
from kairos.errors import TryAgain
from kairos.eventlog.follow import AWAY_S, fallback
from kairos.eventlog.log import Log


class Following:
    """The work of the only thread of the daemon that waits for the log's bell. `run` returns after `stop`."""

    name = "following"

    def __init__(self, log: Log, world: World) -> None:
        """`log` is used for waiting only; `world` folds from its own handle."""
        self._log = log
        self._world = world
        self._listener = log.listener()
        self.stopped = False

    def run(self) -> None:
        """Works until stopped. Retries every second while the server of a shared log is unreachable."""
        while not self.stopped:
            patience = fallback(self._log)
            try:
                self._world.catch_up()
            except TryAgain:
                if not self._log.shared:
                    raise
                patience = AWAY_S
            self._listener.wait(patience)

    def wake(self) -> None:
        """Ends the present wait, or the next."""
        self._listener.wake()

    def stop(self) -> None:
        """Makes `run` return after its present step."""
        self.stopped = True
        self._listener.wake()

    def close(self) -> None:
        """Releases its resources. Called once, when its thread has ended."""
        self._log.close()
