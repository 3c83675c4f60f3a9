"""What is new against the past of a log, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.logs.past import MOST_NEWS, WINDOW_US, LogPast, LogPastState, literals

DAY_US = 86_400_000_000
HOUR_US = DAY_US // 24


def learnt(lines: int = 300, **more: bool) -> LogPast:
    past = LogPast(LogPastState(), **more)
    for n in range(lines):
        past.see([f"2026-12-01 10:00:00 INFO app GET /item/{n} took {n} ms"], 0, learning=True)
    return past


def test_a_line_that_was_never_there_is_news_once() -> None:
    past = learnt()
    news = past.see(["2026-12-02 10:00:00 ERROR app could not reach the database at 10.0.0.7"], DAY_US)
    assert news is not None
    assert (news.kind, news.level) == ("new", "error")
    assert news.template.text == "ERROR app could not reach the database at *"
    assert (news.template.first, news.template.count) == (DAY_US, 1)
    assert past.see(["2026-12-02 10:00:01 ERROR app could not reach the database at 10.0.0.8"], DAY_US) is None
    assert news.template.count == 2


def test_information_is_no_news_unless_it_is_asked_for() -> None:
    line = ["2026-12-02 10:00:00 INFO app the cache was emptied by the night job"]
    assert learnt().see(line, DAY_US) is None
    assert learnt(every=True).see(line, DAY_US) is not None
    assert learnt().see(["the cache was emptied by the night job"], DAY_US) is not None, "it does not say what it is"


def test_a_log_that_always_says_something_new_says_nothing() -> None:
    past = LogPast(LogPastState())
    told = [past.see([f"ERROR {chr(97 + n % 26) * (n % 9 + 2)} {n * 'q'} happened"], 0) for n in range(60)]
    assert told == [None] * 60


def test_too_little_is_known_at_first() -> None:
    assert learnt(20).see(["ERROR app never seen before"], 0) is None
    assert learnt(200).see(["ERROR app never seen before"], 0) is not None


def test_far_more_than_ever_is_news_again_only_when_it_is_worse() -> None:
    past = learnt()
    line = ["ERROR app queue is full"]
    for hour in range(30):
        for _ in range(4):
            past.see(line, HOUR_US * hour)
    at = HOUR_US * 31
    told = [past.see(line, at) for _ in range(150)]
    (first, second) = [n for n in told if n is not None]
    assert (told.index(first) + 1, first.kind, first.here, first.worst) == (20, "more", 20, 4)
    assert second.here == 100
    later = [past.see(line, at + WINDOW_US * 2) for _ in range(400)]
    assert [n for n in later if n is not None] == [], "that many were there before"


def test_what_was_written_while_nobody_read_is_counted_in_no_window() -> None:
    past = learnt()
    line = ["ERROR app queue is full"]
    first = past.see(line, 0)
    assert first is not None
    at = DAY_US * 2
    assert [past.see(line, at, behind=True) for _ in range(500)] == [None] * 500
    template = first.template
    assert (template.count, template.last, template.here, template.worst) == (501, at, 1, 0)
    assert past.see(["ERROR app the disk is full"], at, behind=True) is not None, "what is new is told"
    told = [past.see(line, at) for _ in range(25)]
    assert [(told.index(n) + 1, n.kind, n.here) for n in told if n is not None] == [(20, "more", 20)]


@pytest.mark.parametrize(
    "line", [["ERROR app queue is full"], ["ERROR app queue is full", "  with 7 in it"]], ids=["one", "two"]
)
def test_far_more_of_a_template_says_how_bad_it_is(line: list[str]) -> None:
    past = learnt()
    past.see(line, 0)
    (more,) = [n for n in (past.see(line, DAY_US * 2) for _ in range(20)) if n is not None]
    assert (more.kind, more.level, more.example) == ("more", "error", "\n".join(line))


@pytest.mark.parametrize(
    ("stamp", "first"),
    [
        ("Nov 30 10:00:00", "2026-11-30T10:00:00"), ("Dec 24 10:00:00", "2025-12-24T10:00:00"),
        ("2026-11-30 10:00:00", "2026-11-30T10:00:00"), ("2031-01-01 10:00:00", "2026-12-01T12:00:00"),
        ("Dec  1 13:00:00", "2026-12-01T12:00:00"), ("E0229 10:00:00", "2026-03-01T10:00:00"),
    ],
)  # fmt: skip
def test_a_line_of_the_past_was_first_seen_in_the_year_before_it_is_read_if_it_names_none(
    stamp: str, first: str
) -> None:
    past, now = LogPast(LogPastState()), datetime(2026, 12, 1, 12, tzinfo=UTC)
    past.see([f"{stamp} host app: it broke"], int(now.timestamp()) * 1_000_000, learning=True)
    (template,) = past.state().templates
    assert datetime.fromtimestamp(template.first / 1e6, UTC).isoformat()[:19] == first


def test_what_came_often_within_its_first_day_is_not_far_more() -> None:
    past = learnt()
    told = [past.see(["ERROR app queue is full"], 0) for _ in range(500)]
    assert [n.kind for n in told if n is not None] == ["new"]


def test_more_than_a_few_an_hour_are_counted_only() -> None:
    past = learnt(2_000)
    told = [past.see([f"ERROR {chr(97 + n) * 4} {chr(98 + n) * 5} broke"], 0) for n in range(MOST_NEWS + 4)]
    assert sum(n is not None for n in told) == MOST_NEWS
    assert past.state().unsaid == 4
    assert past.see(["ERROR and one more broke later"], HOUR_US * 2) is not None


def test_secrets_are_cut_from_what_is_kept_and_told() -> None:
    past = learnt()
    news = past.see(["ERROR login failed with AKIAQ3EGRXWZ5K7TN2PD password=hunter2secretvalue99"], 0)
    assert news is not None
    kept = msgspec.json.encode(past.state()).decode() + news.example
    assert "hunter2secretvalue99" not in kept
    assert "AKIAQ3EGRXWZ5K7TN2PD" not in kept


LINES = st.lists(st.sampled_from(["INFO a b", "ERROR c d", "ERROR c 5", "x", "WARN y z q"]), max_size=40)


@given(LINES, st.integers(0, 40))
def test_what_was_kept_goes_on_as_if_nothing_had_ended(lines: list[str], at: int) -> None:
    whole, begun = LogPast(LogPastState()), LogPast(LogPastState())
    for line in lines[:at]:
        whole.see([line], 0), begun.see([line], 0)
    again = LogPast(msgspec.json.decode(msgspec.json.encode(begun.state()), type=LogPastState))
    for line in lines[at:]:
        assert (whole.see([line], 1) is None) == (again.see([line], 1) is None)
    assert whole.state() == again.state()


@pytest.mark.parametrize(
    ("template", "first"),
    [
        ("ERROR app could not reach the database at *: retrying", "ERROR app could not reach the database at"),
        ("request * failed", None), ("Error", None), ("* * *", None),
    ],
)  # fmt: skip
def test_the_longest_text_without_a_variable_part_is_looked_for_first(template: str, first: str | None) -> None:
    found = literals(template)
    assert next(iter(found), None) == first
    assert first is None or "could not reach the database at" in found
    assert [len(f) for f in found] == sorted((len(f) for f in found), reverse=True)
