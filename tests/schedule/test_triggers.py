"""When nightly work is due, on all the nights that go wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given
from hypothesis import strategies as st

from kairos.schedule.triggers import Cron, daily, due, latest_instant, next_instant

BERLIN = ZoneInfo("Europe/Berlin")
AT = (3, 30)
MINUTE = 60_000_000


def us(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp() * 1e6)


def cron(text: str) -> Cron:
    return CronTrigger.from_crontab(text, timezone=UTC)


def run(moments: list[int], at: tuple[int, int] = AT, zone: ZoneInfo = BERLIN) -> list[int]:
    """The occurrences that asking at these moments gives."""
    done: list[int] = []
    for now in moments:
        instant = due(daily(at), moments[0], done, now, zone)
        if instant is not None:
            done.append(instant)
    return done


def every(minutes: int, start: str, end: str) -> list[int]:
    return list(range(us(start), us(end), minutes * MINUTE))


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
    moments = every(10, "2026-03-28T12:00", "2026-03-29T12:00")
    assert run(moments, (2, 30)) == [us("2026-03-29T03:30")]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns"])
@pytest.mark.parametrize("at", [(0, 0), (0, 30), (1, 45), (2, 0), (2, 30), (23, 59)])
def test_no_night_of_a_year_is_left_out_or_doubled(zone: str, at: tuple[int, int]) -> None:
    """Whatever the hour, the days on which clocks move and those after them included."""
    place = ZoneInfo(zone)
    now, end = us("2026-01-01T12:00", place), us("2027-01-01T12:00", place)
    nights = []
    while (instant := next_instant(daily(at), now, place)) is not None and instant < end:
        assert latest_instant(daily(at), instant, place) == instant
        assert latest_instant(daily(at), instant - 1, place) == (nights[-1] if nights else None) or not nights
        nights.append(instant)
        now = instant
    days = [datetime.fromtimestamp(i / 1e6, place).date() for i in nights]
    assert days == [days[0] + timedelta(days=n) for n in range(365)]


def test_a_change_of_zone_does_not_repeat_a_night() -> None:
    berlin = us("2026-06-02T03:30")
    new_york = ZoneInfo("America/New_York")
    assert due(daily(AT), 0, [berlin], us("2026-06-02T04:00", new_york), new_york) is None
    assert due(daily(AT), 0, [berlin], us("2026-06-03T04:00", new_york), new_york) == us("2026-06-03T03:30", new_york)
    there = us("2026-06-03T03:30", new_york)
    tokyo = ZoneInfo("Asia/Tokyo")  # where it is evening: this day's night was before the one just done
    assert due(daily(AT), 0, [berlin, there], us("2026-06-03T16:32", tokyo), tokyo) is None
    assert due(daily(AT), 0, [berlin, there], us("2026-06-04T03:31", tokyo), tokyo) is None
    assert due(daily(AT), 0, [berlin, there], us("2026-06-05T03:31", tokyo), tokyo) == us("2026-06-05T03:30", tokyo)


def test_an_instant_is_told_by_the_occurrences_on_either_side_of_it() -> None:
    done = [us("2026-06-01T03:30"), us("2027-06-02T03:30")]  # the clock had been a year ahead for a while
    assert due(daily(AT), 0, done, us("2026-06-01T04:00"), BERLIN) is None
    assert due(daily(AT), 0, done, us("2026-06-02T04:00"), BERLIN) == us("2026-06-02T03:30")
    assert due(daily(AT), 0, done, us("2027-06-02T04:00"), BERLIN) is None


def test_what_a_crontab_says_is_found_both_ways() -> None:
    now = us("2026-06-01T12:00")  # a Monday
    for text, latest, after in (
        ("*/15 * * * *", "2026-06-01T12:00", "2026-06-01T12:15"),
        ("30 9 * * mon-fri", "2026-06-01T09:30", "2026-06-02T09:30"),
        ("0 18 * * fri", "2026-05-29T18:00", "2026-06-05T18:00"),
        ("0 0 1 1 *", "2026-01-01T00:00", "2027-01-01T00:00"),
        ("0 0 29 2 *", "2024-02-29T00:00", "2028-02-29T00:00"),
    ):
        assert latest_instant(cron(text), now, BERLIN) == us(latest), text
        assert next_instant(cron(text), now, BERLIN) == us(after), text


def test_an_hourly_job_is_not_held_by_the_rule_of_nights() -> None:
    done: list[int] = []
    for now in every(10, "2026-06-01T10:05", "2026-06-01T20:10"):
        instant = due(cron("0 * * * *"), us("2026-06-01T10:05"), done, now, BERLIN)
        done += [instant] if instant is not None else []
    assert done == [us(f"2026-06-01T{hour}:00") for hour in range(11, 21)]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"])
@given(
    start=st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)), gaps=st.lists(st.integers(1, 60 * 60), max_size=60)
)
def test_no_two_occurrences_are_closer_than_half_a_day_and_none_lies_ahead(
    zone: str, start: datetime, gaps: list[int]
) -> None:
    now = round(start.replace(tzinfo=UTC).timestamp() * 1e6)
    moments = [now]
    for gap in gaps:
        moments.append(moments[-1] + gap * MINUTE)
    found = run(moments, AT, ZoneInfo(zone))
    assert all(b - a >= 11.5 * 60 * MINUTE for a, b in pairwise(found))
    for moment in moments:
        before, after = (find(daily(AT), moment, ZoneInfo(zone)) for find in (latest_instant, next_instant))
        assert before is not None and after is not None and before <= moment < after
