"""A stock application of eventsourcing on a Kairos log: it writes to it and reads it, and Kairos goes on as before."""

from __future__ import annotations

import io
import json
import threading
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.application import Application, ProcessingEvent
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import DataError, IntegrityError, OperationalError, StoredEvent, Tracking
from eventsourcing.system import NotificationLogReader, ProcessApplication
from eventsourcing.utils import get_topic

from kairos.domain.events import Paused, Resumed
from kairos.errors import Conflict, NotFound
from kairos.eventlog.cold.carrying import export_all, import_all
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.follow import Follower
from kairos.eventlog.log import Log
from kairos.eventlog.record import ForeignEvent, NewEvent, Track

OPENED, NOTED = "accounts:Opened", "accounts:Noted"


class Stopped:
    """What an application makes of an event of Kairos."""

    TOPIC = "Paused"
    originator_id: str
    until: int


class Counting(ProcessApplication[UUID]):
    """Stores an aggregate for each that an upstream application stored."""

    def policy(self, domain_event: Any, processing_event: ProcessingEvent[UUID]) -> None:
        if isinstance(domain_event, Aggregate.Created):
            processing_event.collect_events(Aggregate())


def test_what_it_stores_is_in_the_chain_and_comes_back_to_another(opened: Any, place: Any, start: Any) -> None:
    place.log.append([NewEvent("control", Paused())])
    account = opened(start(), "first", "second")
    place.log.append([NewEvent("control", Resumed())])
    copy = start().repository.get(account.id)
    assert (copy.owner, copy.notes, copy.version) == ("Ada", ["first", "second"], 3)
    told = [(r.position, r.topic, r.origin, r.version) for r in place.log.read()]
    assert told == [
        (1, "Paused", "live", 1), (2, OPENED, "foreign", 1), (3, NOTED, "foreign", 2), (4, NOTED, "foreign", 3),
        (5, "Resumed", "live", 2),
    ]  # fmt: skip
    assert isinstance(place.log.at(3).event, ForeignEvent)
    assert verify_log(place.log, None).ok
    place.log.refuse_unknown()


def test_its_notification_log_is_the_whole_log(opened: Any, place: Any, start: Any) -> None:
    place.log.append([NewEvent("control", Paused(until=7))])
    application = start()
    account = opened(application)
    found = list(NotificationLogReader(application.notification_log).read(start=1))
    assert [(n.id, n.originator_id, n.topic) for n in found] == [(1, "control", "Paused"), (2, account.id, OPENED)]
    assert json.loads(found[0].state) == {"until": 7}
    assert [n.id for n in application.notification_log.select(1, 10, topics=["Paused"])] == [1]
    assert application.recorder.max_notification_id() == 2


def test_it_reads_events_of_kairos_with_classes_of_its_own(place: Any, start: Any) -> None:
    assert get_topic(Stopped) == "Paused"  # type: ignore[arg-type]
    place.log.append([NewEvent("control", Paused(until=7))])
    application = start()
    [notification] = application.notification_log.select(1, 10)
    stopped = application.mapper.to_domain_event(notification)
    assert isinstance(stopped, Stopped)
    assert (stopped.originator_id, stopped.until) == ("control", 7)


def test_two_that_save_the_same_aggregate_cannot_both_win(opened: Any, place: Any, start: Any) -> None:
    one, other = start(), start()
    account = opened(one)
    first, second = one.repository.get(account.id), other.repository.get(account.id)
    first.take_note("mine")
    second.take_note("mine, too")
    one.save(first)
    with pytest.raises(IntegrityError, match="at version 2, not 1"):
        other.save(second)
    assert start().repository.get(account.id).notes == ["mine"]


def test_a_subscription_hears_of_kairos_and_a_follower_of_the_application(opened: Any, place: Any, start: Any) -> None:
    application = start()
    place.log.append([NewEvent("control", Paused())])
    follower = Follower(place.log, 0)
    asleep, heard = threading.Event(), threading.Event()

    def follow() -> None:
        while not heard.is_set():
            if any(recorded.topic == OPENED for recorded in follower.new()):
                heard.set()
            asleep.set()
            follower.wait()

    thread = threading.Thread(target=follow)
    thread.start()
    with application.recorder.subscribe(gt=1) as subscription:
        assert asleep.wait(20)
        opened(application)
        assert next(subscription).topic == OPENED
        assert heard.wait(20)
        other = Log(place.log.path, url=place.log.url)
        threading.Timer(0.2, lambda: other.append([NewEvent("control", Resumed())])).start()
        assert next(subscription).topic == "Resumed"
    follower.stop()
    thread.join()
    other.close()


def test_it_cannot_write_an_event_of_kairos(place: Any, start: Any) -> None:
    recorder = start().recorder
    for topic in ("Paused", "ProposalApproved", "NameOfALaterVersion2"):
        stored = StoredEvent("control", 1, topic, b"{}")
        with pytest.raises(DataError, match="is reserved for the events of Kairos"):
            recorder.insert_events([stored])
    assert place.log.head() == 0


@pytest.mark.parametrize(
    ("stream", "version", "topic"),
    [("", 1, "a:B"), ("s", 1, ""), ("s\0", 1, "a:B"), ("s", 1, "a:\0"), ("s", 1, "a:\ud800"), ("s", -1, "a:B")],
)
def test_what_a_log_cannot_hold_is_refused_whole(place: Any, start: Any, stream: str, version: int, topic: str) -> None:
    recorder = start().recorder
    with pytest.raises(DataError):
        recorder.insert_events([StoredEvent("fine", 1, "a:B", b"{}"), StoredEvent(stream, version, topic, b"{}")])
    assert place.log.head() == 0


@pytest.mark.parametrize("versions", [[2], [1, 3], [1, 1], [0, 2], [1, 0]])
def test_versions_of_a_stream_follow_one_another(place: Any, start: Any, versions: list[int]) -> None:
    recorder = start().recorder
    with pytest.raises(IntegrityError):
        recorder.insert_events([StoredEvent("s", version, "a:B", b"{}") for version in versions])
    assert place.log.head() == 0


def test_a_process_application_keeps_its_place_and_its_events_together(
    opened: Any, place: Any, start: Any, another_log: Log, environments: Any
) -> None:
    upstream = Application[UUID](env=environments(another_log.url or another_log.path))
    downstream = start(Counting)
    downstream.follow("upstream", upstream.notification_log)
    for n in range(3):
        opened(upstream, owner=str(n))
    downstream.pull_and_process("upstream")
    assert downstream.recorder.max_tracking_id("upstream") == 3
    downstream.recorder.insert_tracking(Tracking("elsewhere", 10_000))
    assert [r.topic for r in place.log.read()] == ["eventsourcing.domain:Aggregate.Created"] * 3
    with pytest.raises(IntegrityError):
        downstream.recorder.insert_events([StoredEvent("s", 1, "a:B", b"")], tracking=Tracking("upstream", 3))
    assert place.log.head() == 3, "neither without the other"

    place.log.append([NewEvent("control", Paused())], writes=[Track("ours", 4)])
    compact(place.log)
    assert place.log.sealed_upto() == 4, "a place in an upstream holds back nothing here"
    exported = io.BytesIO()
    export_all(place.log, exported)
    place_in_upstream = Log(place.log.path.parent / "third" / "log.db")
    import_all(place_in_upstream, io.BytesIO(exported.getvalue()))
    moved = Counting(env=environments(place_in_upstream.path))
    assert [moved.recorder.max_tracking_id(name) for name in ("upstream", "elsewhere", "?")] == [3, 10_000, None]
    for application in (upstream, moved):
        application.recorder.close()
        application.close()
    place_in_upstream.close()


def test_kairos_expects_versions_as_before(place: Any, start: Any) -> None:
    start().recorder.insert_events([StoredEvent("s", 0, "a:B", b"")])
    with pytest.raises(Conflict):
        place.log.append([NewEvent("t", Paused())], expected={"t": 1})
    assert place.log.append([NewEvent("t", Paused())], expected={"t": 0}) == [2]
    with pytest.raises(NotFound):
        place.log.at(3)


def test_a_log_that_is_not_there_is_not_made_by_asking(opened: Any, start: Any, place: Any) -> None:
    application = start(CREATE_TABLE="n")
    with pytest.raises(OperationalError, match="no log"):
        application.recorder.max_notification_id()
    with pytest.raises(OperationalError):
        opened(application)
    assert not place.log.exists()
