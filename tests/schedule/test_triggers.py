"""When nightly work is due, on all the nights that go wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.schedule.triggers import due, latest_instant

BERLIN = ZoneInfo("Europe/Berlin")
AT = (3, 30)


def us(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp() * 1e6)


def run(moments: list[int], at: tuple[int, int] = AT, zone: ZoneInfo = BERLIN) -> list[int]:
    """The occurrences that asking at these moments gives."""
    last: int | None = None
    out = []
    for now in moments:
        instant = due(at, moments[0], last, now, zone)
        if instant is not None:
            out.append(instant)
            last = instant
    return out


def every(minutes: int, start: str, end: str) -> list[int]:
    return list(range(us(start), us(end), minutes * 60_000_000))


def test_an_ordinary_week_has_one_occurrence_a_night() -> None:
    assert len(run(every(10, "2026-06-01T10:00", "2026-06-08T10:00"))) == 7


def test_a_first_start_at_noon_does_not_make_up_for_the_night_before() -> None:
    assert run([us("2026-06-01T12:00"), us("2026-06-01T23:00")]) == []


def test_a_machine_that_slept_for_days_has_one_occurrence_after_it_wakes() -> None:
    assert run([us("2026-06-01T12:00"), us("2026-06-05T09:00"), us("2026-06-05T10:00")]) == [us("2026-06-05T03:30")]


def test_the_night_the_clocks_go_back_has_one_occurrence_of_an_hour_that_comes_twice() -> None:
    moments = every(10, "2026-10-24T12:00", "2026-10-25T12:00")
    assert run(moments, (2, 30)) == [us("2026-10-25T02:30", fold=0)]


def test_the_night_the_clocks_go_forward_has_one_occurrence_of_an_hour_that_never_comes() -> None:
    assert len(run(every(10, "2026-03-28T12:00", "2026-03-29T12:00"), (2, 30))) == 1


def test_a_clock_set_back_a_day_repeats_nothing() -> None:
    moments = [us("2026-06-01T12:00"), us("2026-06-02T04:00"), us("2026-06-01T04:00"), us("2026-06-02T05:00")]
    assert run(moments) == [us("2026-06-02T03:30")]


def test_a_change_of_zone_does_not_repeat_a_night() -> None:
    berlin = us("2026-06-02T03:30")
    new_york = ZoneInfo("America/New_York")
    assert due(AT, 0, berlin, us("2026-06-02T04:00", new_york), new_york) is None
    assert due(AT, 0, berlin, us("2026-06-03T04:00", new_york), new_york) == us("2026-06-03T03:30", new_york)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"])
@given(
    start=st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)), gaps=st.lists(st.integers(1, 60 * 60), max_size=60)
)
def test_no_two_occurrences_are_closer_than_half_a_day_and_none_lies_ahead(
    zone: str, start: datetime, gaps: list[int]
) -> None:
    now = round(start.replace(tzinfo=ZoneInfo("UTC")).timestamp() * 1e6)
    moments = [now]
    for gap in gaps:
        moments.append(moments[-1] + gap * 60_000_000)
    found = run(moments, AT, ZoneInfo(zone))
    assert all(b - a >= timedelta(hours=12) / timedelta(microseconds=1) for a, b in pairwise(found))
    assert all(latest_instant(AT, m, ZoneInfo(zone)) <= m for m in moments)
