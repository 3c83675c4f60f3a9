"""An append is done once, whatever the network does, and not at all when its lease is lost."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import Paused, Resumed
from kairos.errors import Conflict, LeaseLost, TryAgain
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import Fence, NewEvent, Put, Track


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_append_whose_commit_was_not_answered_is_stored_once(tmp_path: Path, proxy: Any, when: Any) -> None:
    way, url = proxy
    log = Log(tmp_path / "log.db", url=url)
    log.append([NewEvent("a", Paused())])
    way.cut = when
    news = [NewEvent("a", Resumed()), NewEvent("a", Paused())]
    positions = log.append(news, expected={"a": 1}, writes=[Put("v", b"k", b"1"), Track("t", 3)])
    assert way.cuts == 1
    assert positions == [2, 3]
    assert [r.topic for r in log.read()] == ["Paused", "Resumed", "Paused"]
    assert (log.view("v"), log.tracking("t")) == ({b"k": b"1"}, 3)
    assert verify_log(log, None).ok
    log.close()


def test_of_an_append_in_doubt_and_another_writer_both_are_stored_once(tmp_path: Path, proxy: Any) -> None:
    way, url = proxy
    log, other = Log(tmp_path / "a", url=url), Log(tmp_path / "b", url=url)
    log.append([NewEvent("a", Paused())])
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            other.append([NewEvent("b", Paused())])

    thread = threading.Thread(target=write)
    thread.start()
    mine = []
    for n in range(12):
        way.cut = "after" if n % 2 else "before"
        mine += log.append([NewEvent("a", Resumed())])
    done.set()
    thread.join()
    rows = list(log.read())
    assert [r.position for r in rows] == list(range(1, len(rows) + 1))
    assert [r.position for r in rows if r.topic == "Resumed"] == mine
    assert verify_log(log, None).ok
    log.close()
    other.close()


def test_an_append_that_was_waiting_when_the_connection_went_is_stored_once(postgres: Any, shared: Log) -> None:
    shared.append([NewEvent("a", Paused())])
    blocker = postgres.admin(shared.url)
    blocker.execute("BEGIN")
    blocker.execute("UPDATE head SET id = id")
    thread = threading.Thread(target=lambda: shared.append([NewEvent("a", Resumed())]))
    thread.start()
    postgres.until_waiting("wait_event_type = 'Lock'")
    postgres.cut()  # the blocker, too
    thread.join(20)
    blocker.close()
    assert [r.topic for r in shared.read()] == ["Paused", "Resumed"]


def test_a_server_that_stays_away_is_told_and_nothing_is_written(postgres: Any, shared: Log) -> None:
    shared.append([NewEvent("a", Paused())])
    postgres.stop()
    try:
        with pytest.raises(TryAgain, match="does not answer") as caught:
            shared.append([NewEvent("a", Resumed())])
        assert caught.value.hint
    finally:
        postgres.start()
    assert shared.append([NewEvent("b", Paused())]) == [2]


def test_an_append_under_a_lost_lease_writes_nothing(shared: Log) -> None:
    leases = shared.leases()
    assert leases is not None
    token = leases.take("repo/r", "ada", 60)
    assert token is not None
    with shared.fenced([Fence("repo/r", token)]):
        assert shared.append([NewEvent("a", Paused())]) == [1]
        leases.give_up("repo/r", token)
        assert leases.take("repo/r", "bob", 60) == token + 2
        with pytest.raises(LeaseLost, match="repo/r"):
            shared.append([NewEvent("a", Resumed())], writes=[Put("v", b"k", b"1")])
        with pytest.raises(LeaseLost):
            shared.append([], writes=[Track("t", 1)])
    assert (shared.head(), shared.view("v"), shared.tracking("t")) == (1, {}, 0)
    leases.close()


def test_of_many_leases_each_is_asked_for(shared: Log) -> None:
    leases = shared.leases()
    assert leases is not None
    fences = [Fence(name, leases.take(name, "ada", 60) or 0) for name in ("c", "a", "b")]
    with shared.fenced(fences):
        assert shared.append([NewEvent("a", Paused())]) == [1]
    stale = [*fences[:2], Fence("b", fences[2].token + 1)]
    with shared.fenced(stale), pytest.raises(LeaseLost, match="lease on b "):
        shared.append([NewEvent("a", Paused())])
    leases.close()


def test_a_conflict_leaves_the_connection_fit_for_the_next_append(shared: Log) -> None:
    shared.append([NewEvent("a", Paused())])
    with pytest.raises(Conflict):
        shared.append([NewEvent("a", Resumed())], expected={"a": 7})
    assert shared.append([NewEvent("a", Resumed())], expected={"a": 1}) == [2]


def test_the_recorder_answers_as_eventsourcing_asks(shared: Log) -> None:
    shared.append([NewEvent("a", Paused()), NewEvent("b", Paused()), NewEvent("a", Resumed())])
    recorder: Any = shared.writer()
    assert recorder.max_notification_id() == 3
    assert [(e.originator_version, e.topic) for e in recorder.select_events("a")] == [(1, "Paused"), (2, "Resumed")]
    assert [e.topic for e in recorder.select_events("a", desc=True, limit=1)] == ["Resumed"]
    assert [n.id for n in recorder.select_notifications(2, 10)] == [2, 3]
    assert [n.id for n in recorder.select_notifications(None, 10, topics=["Resumed"])] == [3]
    assert [n.id for n in recorder.select_notifications(1, 10, 2, inclusive_of_start=False)] == [2]
