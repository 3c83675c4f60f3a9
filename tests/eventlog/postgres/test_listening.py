"""Followers on PostgreSQL sleep until an append notifies them, and outlive lost connections."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from kairos.domain.events import Paused
from kairos.eventlog.follow import Follower
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent


def test_a_notice_ends_the_wait_and_waking_does_too(shared: Log, tmp_path: Path) -> None:
    shared.append([NewEvent("a", Paused())])
    follower = Follower(Log(tmp_path / "b", url=shared.url), 0)
    follower.wait(20)  # listening begins: what came before is read first
    assert len(follower.new()) == 1
    for rouse in (lambda: shared.append([NewEvent("a", Paused())]), follower.wake):
        timer = threading.Timer(0.2, rouse)
        timer.start()
        begun = time.monotonic()
        follower.wait(20)
        assert 0.1 < time.monotonic() - begun < 10
        timer.join()
        follower.new()
    follower._log.close()


def test_a_channel_belongs_to_one_log(postgres: Any, shared: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "b", url=postgres.url())
    other.append([NewEvent("a", Paused())])
    follower = Follower(shared, 0)
    follower.wait(5)
    other.append([NewEvent("a", Paused())])
    begun = time.monotonic()
    follower.wait(0.5)
    assert time.monotonic() - begun >= 0.4, "it woke for the news of another log"
    other.close()


def test_a_follower_outlives_cuts_and_a_restart_and_sees_each_event_once(
    postgres: Any, shared: Log, tmp_path: Path
) -> None:
    shared.append([NewEvent("a", Paused())])
    follower = Follower(Log(tmp_path / "b", url=shared.url), 0)
    seen: list[int] = []

    def follow() -> None:
        for recorded in follower:
            seen.append(recorded.position)

    thread = threading.Thread(target=follow)
    thread.start()

    def until(count: int) -> None:
        end = time.monotonic() + 20
        while len(seen) < count:
            assert time.monotonic() < end, seen
            time.sleep(0.01)

    until(1)
    for n in range(2, 6):
        postgres.cut()
        shared.append([NewEvent("a", Paused())])
        until(n)
    postgres.stop()
    time.sleep(0.1)
    postgres.start()
    shared.append([NewEvent("a", Paused())])
    until(6)
    follower.stop()
    thread.join(10)
    assert seen == [1, 2, 3, 4, 5, 6]
    follower._log.close()
