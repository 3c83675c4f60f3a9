"""Followers sleep until there is news."""

from __future__ import annotations

import threading
import time

from kairos.domain.events import Paused
from kairos.eventlog.follow import Follower
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent


def test_a_follower_sees_each_event_once_as_it_comes(log: Log) -> None:
    log.append([NewEvent("a", Paused())])
    follower = Follower(Log(log.path), 0)
    seen: list[int] = []

    def follow() -> None:
        for recorded in follower:
            seen.append(recorded.position)
            if recorded.position == 20:
                follower.stop()

    thread = threading.Thread(target=follow)
    thread.start()
    begun = time.monotonic()
    for _ in range(19):
        log.append([NewEvent("a", Paused())])
    thread.join(timeout=10)
    assert seen == list(range(1, 21))
    assert time.monotonic() - begun < 5, "the bell woke it, not the slow timer"


def test_an_event_between_the_last_read_and_the_wait_wakes_the_follower(log: Log) -> None:
    log.append([NewEvent("a", Paused())])
    follower = Follower(Log(log.path), 0)
    assert len(follower.new()) == 1
    log.append([NewEvent("a", Paused())])
    begun = time.monotonic()
    follower.wait(20)
    assert time.monotonic() - begun < 10
    assert [r.position for r in follower.new()] == [2]
