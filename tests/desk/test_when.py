"""Times as people type them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from kairos.clock import SECOND
from kairos.desk.when import ago, duration, spoken, until
from kairos.errors import UsageError

ZONE = ZoneInfo("Europe/Berlin")
NOON = round(datetime(2026, 5, 1, 12, 0, tzinfo=ZONE).timestamp()) * SECOND
LATE = round(datetime(2026, 5, 1, 22, 0, tzinfo=ZONE).timestamp()) * SECOND


def _local(at: int | None) -> str:
    assert at is not None
    return datetime.fromtimestamp(at / SECOND, ZONE).isoformat(timespec="minutes")[:16]


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86400), ("1w", 604800)])
def test_durations_have_a_unit(text: str, seconds: int) -> None:
    assert duration(text) == seconds * SECOND


@pytest.mark.parametrize("text", ["", "2", "h", "-1h", "1.5h", "2 hours", "9999999h"])
def test_anything_else_is_no_duration(text: str) -> None:
    assert duration(text) is None


@pytest.mark.parametrize(
    ("text", "now", "expected"),
    [
        ("2h", NOON, "2026-05-01T14:00"),
        ("tonight", NOON, "2026-05-01T20:00"),
        ("tonight", LATE, "2026-05-02T20:00"),
        ("tomorrow", NOON, "2026-05-02T09:00"),
        ("23:59", NOON, "2026-05-01T23:59"),
        ("9:05", NOON, "2026-05-02T09:05"),
        ("12:00", NOON, "2026-05-02T12:00"),
        ("in 1 minute", NOON, "2026-05-01T12:01"),
        ("in 2 hours", NOON, "2026-05-01T14:00"),
        ("In 10 min", NOON, "2026-05-01T12:10"),
        ("in 3 days", NOON, "2026-05-04T12:00"),
        ("in 2h", NOON, "2026-05-01T14:00"),
        ("2026-06-01T10:00+02:00", NOON, "2026-06-01T10:00"),
    ],
)
def test_moments_to_come(text: str, now: int, expected: str) -> None:
    assert _local(until(text, now, ZONE)) == expected


@pytest.mark.parametrize("text", ["999999w", "5300w", "999999d"])
def test_more_than_a_century_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="century"):
        until(text, NOON, ZONE)
    with pytest.raises(UsageError, match="century"):
        ago(text, NOON)


def test_the_next_commit_has_no_time() -> None:
    assert until("next-commit", NOON, ZONE) is None


@pytest.mark.parametrize(
    "text", ["", "soon", "2001-01-01", "yesterday", "99999999999d", "24:00", "9:60", "in 0 hours", "in hours"]
)
def test_nonsense_and_the_past_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        until(text, NOON, ZONE)


def test_ago_counts_back_or_names_a_time() -> None:
    assert ago("2h", NOON) == NOON - 7200 * SECOND
    assert _local(ago("2026-04-01T08:00+02:00", NOON)) == "2026-04-01T08:00"
    with pytest.raises(UsageError):
        ago("lately", NOON)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-11-30T14:03", "today 14:03"), ("2026-11-29T22:10", "yesterday 22:10"),
        ("2026-12-01T08:00", "tomorrow 08:00"), ("2026-11-23T09:00", "Mon 23 Nov 09:00"),
        ("2025-11-23T09:00", "Sun 23 Nov 2025 09:00"),
    ],
)  # fmt: skip
def test_a_moment_is_said_as_people_say_it(at: str, words: str) -> None:
    from datetime import UTC, datetime

    def us(text: str) -> int:
        return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6)

    assert spoken(us(at), us("2026-11-30T16:00"), UTC) == words
