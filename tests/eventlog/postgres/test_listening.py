"""Followers on PostgreSQL sleep until an append notifies them, and outlive lost connections."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from kairos.domain.events import Paused
from kairos.eventlog.database import Listener
from kairos.eventlog.follow import Follower
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent

FOR_EVER_S = 600.0
"""Longer than a test may take: whoever is not woken is ended by the time limit of the suite."""


def test_a_notice_ends_the_wait_and_waking_does_too(shared: Log, tmp_path: Path) -> None:
    shared.append([NewEvent("a", Paused())])
    follower = Follower(Log(tmp_path / "b", url=shared.url), 0)
    follower.wait(20)  # listening begins: what came before is read first
    assert len(follower.new()) == 1
    for rouse in (lambda: shared.append([NewEvent("a", Paused())]), follower.wake):
        roused = threading.Event()
        timer = threading.Timer(0.2, lambda rouse=rouse, roused=roused: (roused.set(), rouse()))
        timer.start()
        follower.wait(FOR_EVER_S)
        assert roused.is_set(), "it came back by itself"
        timer.join()
        follower.new()
    follower._log.close()


def test_a_channel_belongs_to_one_log(postgres: Any, shared: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "b", url=postgres.url())
    other.append([NewEvent("a", Paused())])
    follower = Follower(shared, 0)
    follower.wait(5)
    neighbour = Follower(other, 0)
    neighbour.wait(20)
    neighbour.new()
    waiting = Waiting(follower)
    other.append([NewEvent("a", Paused())])
    neighbour.wait(FOR_EVER_S)  # the one connection that both listen on has brought the news
    assert not waiting.over.is_set(), "it woke for the news of another log"
    shared.append([NewEvent("a", Paused())])
    waiting.end()
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


def test_all_followers_of_a_process_share_one_connection_and_each_is_woken(
    postgres: Any, shared: Log, tmp_path: Path
) -> None:
    shared.append([NewEvent("a", Paused())])
    logs = [Log(tmp_path / str(n), url=shared.url) for n in range(5)]
    listeners = [log.listener() for log in logs]
    for listener in listeners:
        listener.wait(20)
    with postgres.admin() as db:
        [(listening,)] = db.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kairos' AND query LIKE 'LISTEN%'"
        ).fetchall()
    assert listening == 1
    shared.append([NewEvent("a", Paused())])
    for listener in listeners:
        listener.wait(FOR_EVER_S)
    first, second = Waiting(listeners[0]), Waiting(listeners[1])
    listeners[0].wake()
    first.end()
    assert not second.over.is_set(), "it woke for another follower"
    logs.pop(0).close()
    shared.append([NewEvent("a", Paused())])
    second.end()
    for log in logs:
        log.close()
    postgres.until_gone("application_name = 'kairos' AND query LIKE 'LISTEN%'")


class Waiting:
    """A thread that waits until somebody wakes it; `over` is set when it was woken."""

    def __init__(self, listener: Listener | Follower) -> None:
        self.over = threading.Event()
        self._thread = threading.Thread(target=lambda: (listener.wait(FOR_EVER_S), self.over.set()), daemon=True)
        self._thread.start()

    def end(self) -> None:
        assert self.over.wait(30), "it was not woken"
        self._thread.join()


def test_who_follows_hears_that_the_server_went_away_and_that_it_is_back(postgres: Any, shared: Log) -> None:
    listener = shared.listener()
    listener.wait(20)
    postgres.stop()
    try:
        listener.wait(FOR_EVER_S)
        listener.wait(FOR_EVER_S)  # while it is away the caller is to meet that itself
    finally:
        postgres.start()
    listener.wait(20)
    waiting = Waiting(listener)
    while waiting.over.wait(2.0):  # until it sleeps: it has heard of everything
        waiting = Waiting(listener)
    shared.append([NewEvent("a", Paused())])
    waiting.end()
