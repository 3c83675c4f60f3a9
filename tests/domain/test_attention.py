"""Attention is a pure judgement: the same facts, the same moment, the same answer."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.attention import (
    Attention,
    Delivery,
    Due,
    Held,
    Manners,
    boundary_of,
    decide_delivery,
    decide_turn,
    evolve,
    quiet_end,
    releasable,
)
from kairos.domain.events import (
    AttentionHeld,
    Change,
    DetectorMuted,
    DetectorUnmuted,
    Event,
    FilesChanged,
    GitMoved,
    Paused,
    ProposalDelivered,
    Resumed,
)

BERLIN = ZoneInfo("Europe/Berlin")
MANNERS = Manners(quiet=(22, 8), per_day=4, idle=600_000_000)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp() * 1e6)


NOON = at("2026-06-01T12:00")


def moved(what: str) -> GitMoved:
    return GitMoved(repo="r", head="refs/heads/main", refs=[], what=what)


def burst(part: int = 1, parts: int = 1, cause: str | None = None) -> FilesChanged:
    change = Change(path="a", kind="modified")
    return FilesChanged(repo="r", burst="b", part=part, parts=parts, changes=[change], cause=cause)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "origin", "idle", "boundary"),
    [
        (moved("commit"), "live", 0, "commit"),
        (moved("rebase"), "offline", 0, "commit"),
        (moved("checkout"), "live", 0, "switch"),
        (moved("fetch"), "live", 0, None),
        (burst(), "live", 0, "burst"),
        (burst(1, 2), "live", 0, None),
        (burst(2, 2), "live", 0, "burst"),
        (burst(), "live", 600_000_000, "idle_return"),
        (burst(), "baseline", 0, None),
        (moved("commit"), "history", 0, None),
    ],
)
def test_what_is_a_boundary(event: Event, origin: str, idle: int, boundary: str | None) -> None:
    assert boundary_of(event, origin, idle, MANNERS) == boundary


def test_a_rebase_that_is_not_at_its_end_is_no_boundary() -> None:
    for what in ("rebase", "commit", "amend"):
        stopped = GitMoved(repo="r", head=None, refs=[], what=what, ongoing=True)
        assert boundary_of(stopped, "live", 0, MANNERS) is None


def test_own_writes_files_of_git_and_a_pause_start_no_turn() -> None:
    state = Attention()
    assert decide_turn(burst(), "live", "burst", state, NOON) == Due("burst", "burst@1")
    assert decide_turn(burst(), "self", "burst", state, NOON) == Held("self@1", "this is Kairos's own write")
    assert isinstance(decide_turn(burst(cause="git"), "live", "burst", state, NOON), Held)
    evolve(state, Paused(until=NOON + 5), NOON, "user")
    assert isinstance(decide_turn(moved("commit"), "live", "commit", state, NOON), Held)
    assert isinstance(decide_turn(moved("commit"), "live", "commit", state, NOON + 5), Due)
    evolve(state, Paused(), NOON, "user")
    assert isinstance(decide_turn(moved("commit"), "live", "commit", state, NOON + 10**15), Held)
    evolve(state, Resumed(), NOON, "user")
    assert isinstance(decide_turn(moved("commit"), "live", "commit", state, NOON), Due)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-06-01T21:59", None),
        ("2026-06-01T22:00", "2026-06-02T08:00"),
        ("2026-06-02T03:00", "2026-06-02T08:00"),
        ("2026-06-02T08:00", None),
        ("2026-10-25T01:00", "2026-10-25T08:00"),
    ],
)
def test_quiet_hours_wrap_midnight_in_local_time(now: str, end: str | None) -> None:
    assert quiet_end(at(now), (22, 8), BERLIN) == (at(end) if end else None)


def deliver(state: Attention, boundary: str, now: int, *, urgent: bool = False) -> Due | Held:
    return decide_delivery("p", urgent, boundary, state, MANNERS, now, BERLIN)


def test_delivery_waits_for_a_boundary_between_two_things() -> None:
    assert isinstance(deliver(Attention(), "burst", NOON), Held)
    for boundary in ("commit", "switch", "idle_return", "brief"):
        assert deliver(Attention(), boundary, NOON) == Due(boundary, f"{boundary}@1")


def test_quiet_hours_hold_until_the_morning_and_an_urgent_one_passes() -> None:
    night = at("2026-06-01T23:30")
    held = deliver(Attention(), "commit", night)
    assert isinstance(held, Held) and held.until == at("2026-06-02T08:00")
    assert isinstance(deliver(Attention(), "commit", night, urgent=True), Due)


def test_the_daily_cap_counts_local_days_and_leaves_urgent_ones_out() -> None:
    told = [Delivery(NOON - i * 1_000_000, f"p{i}", False) for i in range(4)]
    held = deliver(Attention(deliveries=told), "commit", NOON)
    assert isinstance(held, Held) and held.until == at("2026-06-02T00:00")
    assert isinstance(deliver(Attention(deliveries=told), "commit", at("2026-06-02T12:00")), Due)
    assert isinstance(
        deliver(Attention(deliveries=[Delivery(NOON, f"u{i}", True) for i in range(9)]), "commit", NOON), Due
    )


def test_the_morning_brief_has_what_the_night_held() -> None:
    state = Attention()
    morning = at("2026-06-02T08:00")
    evolve(state, AttentionHeld(repo="r", subject="p", why="", rule="quiet-hours@1", until=morning), NOON, "system")
    evolve(state, AttentionHeld(repo="r", subject="q", why="", rule="boundary@1"), NOON, "system")
    assert releasable(["p", "q"], state, morning - 1) == []
    assert releasable(["p", "q"], state, morning) == ["p"]
    evolve(state, ProposalDelivered(id="p", boundary="brief"), morning, "system")
    assert releasable(["p", "q"], state, morning) == []


def test_a_detector_is_muted_in_one_repository_or_everywhere() -> None:
    state = Attention()
    evolve(state, DetectorMuted(detector="d", repo="r"), 0, "user")
    assert (state.is_muted("d", "r"), state.is_muted("d", "s")) == (True, False)
    evolve(state, DetectorMuted(detector="d"), 0, "user")
    assert state.is_muted("d", "s")
    evolve(state, DetectorUnmuted(detector="d"), 0, "user")
    assert (state.is_muted("d", "r"), state.is_muted("d", "s")) == (True, False)


@given(st.lists(st.tuples(st.integers(0, 86_400 * 7), st.sampled_from(["commit", "burst", "switch"])), max_size=60))
def test_never_more_than_the_cap_in_a_day_and_never_in_quiet_hours(offers: list[tuple[int, str]]) -> None:
    state = Attention()
    told: dict[str, int] = {}
    for number, (seconds, boundary) in enumerate(sorted(offers)):
        now = NOON + seconds * 1_000_000
        if isinstance(decide_delivery(f"p{number}", False, boundary, state, MANNERS, now, BERLIN), Due):
            local = datetime.fromtimestamp(now / 1e6, BERLIN)
            assert 8 <= local.hour < 22
            assert boundary != "burst"
            told[local.date().isoformat()] = told.get(local.date().isoformat(), 0) + 1
            evolve(state, ProposalDelivered(id=f"p{number}", boundary=boundary), now, "system")
    assert all(count <= 4 for count in told.values())
