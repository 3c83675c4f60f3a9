"""Events that another application stored, on their way through the log: sealed, moved, forgotten, folded around."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID, uuid4

import duckdb
import pytest
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.cipher import AESCipher
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.system import NotificationLogReader

from kairos.domain.events import Paused
from kairos.eventlog.cold.carrying import export_all, import_all
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.folding import fold
from kairos.eventlog.cold.forgetting import forget_paths, forget_positions
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent


def test_an_aggregate_that_was_sealed_is_read_and_goes_on(opened: Any, place: Any, start: Any) -> None:
    application = start()
    account, untouched = opened(application, "cold"), opened(application, "all of it cold")
    place.log.append([NewEvent("control", Paused())])
    compact(place.log)
    assert place.log.sealed_upto() >= 5
    again = start()
    copy = again.repository.get(account.id)
    copy.take_note("hot")
    again.save(copy)
    assert again.repository.get(account.id).notes == ["cold", "hot"]
    assert again.repository.get(untouched.id).notes == ["all of it cold"]
    assert [e.originator_version for e in again.recorder.select_events(account.id, gt=1)] == [2, 3]
    assert [e.originator_version for e in again.recorder.select_events(account.id, lte=2, desc=True)] == [2, 1]
    found = list(NotificationLogReader(again.notification_log, section_size=2).read(start=1))
    assert [n.id for n in found] == list(range(1, place.log.head() + 1))
    assert verify_log(place.log, None).ok


@pytest.mark.parametrize("hot", [0, 1, 3])
def test_a_stream_that_begins_with_version_0_is_whole_wherever_its_parts_are(place: Any, start: Any, hot: int) -> None:
    recorder, stream = start().recorder, str(uuid4())
    recorder.insert_events([StoredEvent(stream, 0, "a:B", b"0")])
    compact(place.log)
    for version in range(1, hot + 1):
        recorder.insert_events([StoredEvent(stream, version, "a:B", b"%d" % version)])
    with pytest.raises(IntegrityError):
        recorder.insert_events([StoredEvent(stream, 0, "a:B", b"0")])
    fresh = start().recorder
    assert [e.state for e in fresh.select_events(stream)] == [b"%d" % n for n in range(hot + 1)]
    assert [e.originator_version for e in fresh.select_events(stream, gt=0)] == list(range(1, hot + 1))


SETTINGS: list[dict[str, str]] = [
    {},
    {"COMPRESSOR_TOPIC": "zlib"},
    {"CIPHER_TOPIC": "eventsourcing.cipher:AESCipher", "CIPHER_KEY": AESCipher.create_key(16)},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=["json", "compressed", "encrypted"])
def test_whatever_its_states_are_they_go_through_segments_and_exports_and_tools_can_read_the_rest(
    opened: Any, place: Any, start: Any, another_log: Log, environments: Any, settings: dict[str, str]
) -> None:
    application = start(**settings)
    account = opened(application, "first", "second")
    application.recorder.insert_events([StoredEvent("odd", 0, "a:B", state) for state in (b'"text"',)])
    place.log.append([NewEvent("control", Paused(until=7))])
    before = application.recorder.select_notifications(1, 10)
    compact(place.log)
    assert start(**settings).repository.get(account.id).notes == ["first", "second"]

    for segment in place.log.reader().segments():
        rows = duckdb.sql(
            f"SELECT topic, payload ->> 'until' FROM '{place.log.segment(segment.file)}' ORDER BY position"
        ).fetchall()
        assert rows[4] == ("Paused", "7")

    exported = io.BytesIO()
    export_all(place.log, exported)
    import_all(another_log, io.BytesIO(exported.getvalue()))
    moved = Application[UUID](env={**environments(another_log.url or another_log.path), **settings})
    assert moved.recorder.select_notifications(1, 5) == before[:5]
    assert moved.recorder.select_events("odd")[0].state == b'"text"'
    compact(another_log)
    assert moved.repository.get(account.id).notes == ["first", "second"]
    assert moved.recorder.select_events("odd")[0].originator_version == 0
    moved.recorder.close()
    moved.close()


def test_what_was_forgotten_does_not_end_a_notification_log(opened: Any, place: Any, start: Any) -> None:
    application = start()
    accounts = [opened(application, owner=f"owner {n}") for n in range(30)]
    forget_positions(place.log, list(range(2, 26)), "mine", "test")
    assert [n.id for n in application.recorder.select_notifications(1, 5)] == [1, 26, 27, 28, 29]
    assert application.recorder.select_notifications(2, 3, 25) == []
    with pytest.raises(AggregateNotFoundError):
        application.repository.get(accounts[3].id)
    assert verify_log(place.log, None).ok


@pytest.mark.parametrize("state", [b'{"note":"see src/secret.py"}', b"no JSON: src/secret.py\xff"])
def test_a_path_is_forgotten_in_what_an_application_stored_too(place: Any, start: Any, state: bytes) -> None:
    recorder = start().recorder
    recorder.insert_events([StoredEvent("s", 1, "a:B", state), StoredEvent("s", 2, "a:B", b'{"path":"src/other.py"}')])
    recorder.insert_events([StoredEvent("t", 1, "a:B", b'{"path":"src/secret.py"}')])
    assert forget_paths(place.log, "src/secret.py", "mine", "test").positions == [1, 3]
    assert [n.state for n in recorder.select_notifications(1, 2)] == [
        b'{"path":"src/other.py"}',
        recorder.select_notifications(4, 1)[0].state,
    ]


def test_retention_and_the_views_pass_over_it(opened: Any, place: Any, start: Any) -> None:
    opened(start(), "first")
    place.log.append([NewEvent("control", Paused())])
    compact(place.log)
    assert fold(place.log, 2**62).segments == []
    assert len(start().recorder.select_notifications(1, 10, topics=["accounts:Opened", "accounts:Noted"])) == 2
