"""The wall clock: microseconds, shifted by a file, said in RFC 3339, and the zone that a person lives in."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.clock import DAY, SECOND, local_time, local_zone, now_us, parse_time, rfc3339


@pytest.fixture(autouse=True)
def unshifted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAIROS_CLOCK_FILE", raising=False)


def test_now_is_in_microseconds() -> None:
    before = time.time_ns() // 1000
    assert before <= now_us() <= time.time_ns() // 1000


@pytest.mark.parametrize(("text", "shift"), [("86400\n", DAY), ("-0.5", -SECOND // 2), ("", 0), ("1e3", 1000 * SECOND)])
def test_the_clock_file_moves_the_clock_both_ways(
    text: str, shift: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "clock"
    file.write_text(text)
    monkeypatch.setenv("KAIROS_CLOCK_FILE", str(file))
    before = time.time_ns() // 1000
    assert before <= now_us() - shift <= time.time_ns() // 1000


def test_the_clock_file_is_read_at_every_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "clock"
    monkeypatch.setenv("KAIROS_CLOCK_FILE", str(file))
    real = now_us()
    assert real <= time.time_ns() // 1000
    file.write_text("3600")
    assert now_us() >= real + 3600 * SECOND


@given(st.integers(0, 4_000_000_000 * SECOND))
def test_a_time_comes_back_from_its_text(at: int) -> None:
    text = rfc3339(at)
    assert len(text) == len("2026-01-02T03:04:05.678901Z")
    assert parse_time(text) == at


@given(st.integers(0, 4_000_000_000 * SECOND), st.integers(0, 4_000_000_000 * SECOND))
def test_times_sort_as_their_texts_do(a: int, b: int) -> None:
    assert (a < b) == (rfc3339(a) < rfc3339(b))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-29T01:30:00Z", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-03-29T01:30:00+02:00", datetime(2026, 3, 28, 23, 30, tzinfo=UTC)),
        ("2026-03-28", datetime(2026, 3, 27, 23, 0, tzinfo=UTC)),
        ("2026-07-01 12:00", datetime(2026, 7, 1, 10, 0, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_meant_locally(text: str, expected: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert parse_time(text) == round(expected.timestamp() * SECOND)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "12:00", "2026-02-30T00:00:00Z"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


@pytest.mark.parametrize("name", ["Europe/Berlin", ":America/New_York", "Asia/Kolkata"])
def test_the_zone_is_the_one_that_tz_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", name)
    assert local_zone() == ZoneInfo(name.lstrip(":"))


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "EST5EDT,M3.2.0,M11.1.0"])
def test_a_zone_that_nobody_knows_falls_back_to_the_machine(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", name)
    assert abs(local_zone().utcoffset(datetime(2026, 1, 1)) or timedelta()) < timedelta(days=1)


def test_without_tz_there_is_always_a_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    assert local_zone().utcoffset(datetime(2026, 1, 1)) is not None


@pytest.mark.parametrize(
    ("at", "shown"), [(2**62, "9999-12-31T23:59:59.999999Z"), (-(2**62), "0001-01-01T00:00:00.000000Z")]
)
def test_a_time_that_no_calendar_has_is_shown_as_the_nearest(at: int, shown: str) -> None:
    assert rfc3339(at) == shown


def test_a_local_time_has_the_offset_of_its_zone_whatever_the_moment() -> None:
    zone = timezone(timedelta(hours=2))
    assert local_time(1_777_618_800_000_000, zone) == "2026-05-01T09:00:00+02:00"
    for far in (-(10**20), 10**20):
        assert local_time(far, zone).endswith("+02:00")
