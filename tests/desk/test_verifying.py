"""The doctor remembers how far the chain was verified, and says what it looked at."""

from __future__ import annotations

import pytest

from kairos.desk.desk import Desk
from kairos.desk.events import verify
from kairos.desk.verifying import rechecked
from kairos.domain.events import Paused
from kairos.eventlog.cold import recheck as module
from kairos.eventlog.record import NewEvent


@pytest.fixture
def long_log(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(module, "WHOLE", 20)
    monkeypatch.setattr(module, "NEWEST", 30)
    monkeypatch.setattr(module, "OLDER", 10)
    desk.home.prepare()
    desk.log.append([NewEvent("a", Paused(until=i)) for i in range(100)])
    return desk


def test_a_short_log_is_verified_whole(desk: Desk) -> None:
    desk.home.prepare()
    desk.log.append([NewEvent("a", Paused(until=i)) for i in range(9)])
    assert rechecked(desk).what == "9 events verified"


def test_what_was_never_verified_is_said_with_the_way_to_do_it(long_log: Desk) -> None:
    found = rechecked(long_log)
    assert found.what == (
        "100 events; verified now: the newest 30, of the older ones 1 to 10; 1 to 70 were never verified here"
    )
    assert "log verify" in found.hint and found.state == "ok"


def test_after_log_verify_the_doctor_goes_on_from_there(long_log: Desk) -> None:
    assert verify(long_log, None).ok
    long_log.log.append([NewEvent("a", Paused(until=i)) for i in range(3)])
    assert rechecked(long_log).what == (
        "103 events; verified now: the newest 3, of the older ones 1 to 10; the others were verified before"
    )
    assert "of the older ones 11 to 20" in rechecked(long_log).what


@pytest.mark.parametrize("content", [b"", b"{", b'{"log": 5}', b"\xff" * 50, b"[" * 10_000])
def test_a_damaged_memory_of_it_is_as_none(long_log: Desk, content: bytes) -> None:
    assert verify(long_log, None).ok
    long_log.home.verified_file.write_bytes(content)
    assert "never verified" in rechecked(long_log).what


def test_a_place_that_cannot_be_written_is_said_and_stops_nothing(long_log: Desk) -> None:
    long_log.home.verified_file.mkdir()
    found = rechecked(long_log)
    assert found.state == "ok" and "could not be remembered" in found.what
