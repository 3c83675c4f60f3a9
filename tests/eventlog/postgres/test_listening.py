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
        assert seconds(listener) < 20
    listeners[0].wake()
    assert seconds(listeners[0]) < 20
    assert seconds(listeners[1], 0.2) >= 0.2, "it woke for another follower"
    logs.pop(0).close()
    shared.append([NewEvent("a", Paused())])
    assert seconds(listeners[1]) < 20
    for log in logs:
        log.close()
    postgres.until_gone("application_name = 'kairos' AND query LIKE 'LISTEN%'")


def seconds(listener: Listener, patience: float = 30.0) -> float:
    """How long a wait took."""
    begun = time.monotonic()
    listener.wait(patience)
    return time.monotonic() - begun


def test_who_follows_hears_that_the_server_went_away_and_that_it_is_back(postgres: Any, shared: Log) -> None:
    listener = shared.listener()
    listener.wait(20)
    postgres.stop()
    try:
        assert seconds(listener) < 20
        assert seconds(listener) < 20, "while it is away the caller is to meet that itself"
    finally:
        postgres.start()
    listener.wait(20)
    for _ in range(100):
        if seconds(listener, 2.0) >= 2.0:
            break  # it sleeps: it has heard of everything
    shared.append([NewEvent("a", Paused())])
    assert seconds(listener) < 20
