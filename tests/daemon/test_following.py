"""The one thread that waits for the bell: an append wakes it, and nothing else does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from kairos.daemon.folded import World
from kairos.daemon.following import Following
from kairos.domain.events import Paused
from kairos.errors import TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import NewEvent
from kairos.home import Home


def test_an_append_of_anybody_is_folded(
    home: Home, world: World, running: Callable[..., Any], until: Callable[..., None]
) -> None:
    with running():
        for n in range(1, 20):
            other = open_log(home)
            other.append([NewEvent("control", Paused())])
            other.close()
            until(lambda n=n: world.position == n)


def test_what_was_appended_before_it_waits_is_folded(
    log: Log, world: World, running: Callable[..., Any], until: Callable[..., None]
) -> None:
    log.append([NewEvent("control", Paused())])
    with running():
        until(lambda: world.position == 1)


def test_a_stop_ends_it_while_it_waits(home: Home, world: World, log: Log) -> None:
    log.append([NewEvent("control", Paused())])
    following = Following(open_log(home), world)
    thread = threading.Thread(target=following.run)
    thread.start()
    following.stop()
    thread.join(20)
    assert not thread.is_alive()
    following.close()


class Away:
    """A log whose server does not answer for the first so many times."""

    def __init__(self, log: Log, times: int) -> None:
        self._log, self.left = log, times

    def head(self) -> int:
        self.left -= 1
        if self.left >= 0:
            raise TryAgain("the server is away")
        return self._log.head()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


def test_while_the_server_of_a_shared_log_is_away_it_asks_again(
    home: Home, postgres: Any, monkeypatch: Any, until: Callable[..., None]
) -> None:
    monkeypatch.setenv("KAIROS_LOG", postgres.url())
    monkeypatch.setattr("kairos.daemon.following.AWAY_S", 0.01)
    other = open_log(home)
    other.append([NewEvent("control", Paused())])
    world = World(open_log(home))
    world.load()
    other.append([NewEvent("control", Paused())])
    world._log = away = Away(world._log, 3)  # type: ignore[assignment]
    following = Following(open_log(home), world)
    thread = threading.Thread(target=following.run)
    thread.start()
    until(lambda: world.position == 2)
    following.stop()
    thread.join(20)
    assert not thread.is_alive() and away.left < 0
    following.close()
    away.close()
    other.close()
