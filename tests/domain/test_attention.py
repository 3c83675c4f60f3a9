"""Attention is a pure judgement: the same facts, the same moment, the same answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.action import Effects, NoteAction
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
    ExecutionStarted,
    FilesChanged,
    GitMoved,
    Paused,
    ProposalAcknowledged,
    ProposalDelivered,
    ProposalExpired,
    ProposalRaised,
    ProposalRejected,
    ProposalStale,
    ProposalSuperseded,
    ProposalVerified,
    Resumed,
)
from kairos.domain.events.proposals import Risk
from kairos.domain.learning.learned import Learned
from kairos.domain.learning.lessons import YesNo

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


def test_a_pause_of_one_repository_holds_only_what_is_of_it() -> None:
    state = Attention()
    evolve(state, Paused(until=NOON + 5, repo="r"), NOON, "user")
    assert decide_turn(burst(), "live", "burst", state, NOON, "r") == Held("pause@1", "Kairos is paused", NOON + 5)
    assert isinstance(decide_turn(burst(), "live", "burst", state, NOON, "other"), Due)
    assert isinstance(decide_turn(burst(), "live", "burst", state, NOON + 5, "r"), Due)
    assert isinstance(decide_delivery("p", True, "commit", state, MANNERS, NOON, BERLIN, "r"), Held)
    assert isinstance(decide_delivery("p", True, "commit", state, MANNERS, NOON, BERLIN, "other"), Due)
    assert (state.over(NOON), state.over(NOON + 5)) == ([], ["r"])
    evolve(state, Paused(), NOON, "user")
    assert state.pause_ends("r") is None and state.is_paused(NOON, "other")
    evolve(state, Resumed(), NOON, "user")
    assert state.is_paused(NOON, "r") and not state.is_paused(NOON)
    evolve(state, Resumed(repo="r"), NOON, "user")
    assert not state.is_paused(NOON, "r")


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


ENDS: list[Callable[[str], Event]] = [
    lambda i: ProposalDelivered(id=i, boundary="commit"),
    lambda i: ProposalVerified(id=i, digest="0", ok=False),
    lambda i: ProposalRejected(id=i, reason="wrong"),
    lambda i: ProposalExpired(id=i),
    lambda i: ProposalStale(id=i, paths=[]),
    lambda i: ProposalSuperseded(id=i, why=""),
    lambda i: ProposalAcknowledged(id=i, digest="0"),
    lambda i: ExecutionStarted(
        id=i, execution="x", run="apply", digest="0", repo="r", expect=[], before=[], store=""
    ),
]  # fmt: skip


def raised(id_: str, risk: Risk = "low") -> ProposalRaised:
    return ProposalRaised(
        id=id_, repo="r", digest="0", detector="d", detector_version=1, engine="rules", turn="t", key=f"d:{id_}",
        title="", claim="", risk=risk, action=NoteAction(repo="r", text=""), effects=Effects(), evidence=[],
        expires_at=0, policy_version="0",
    )  # fmt: skip


def hold(subject: str, rule: str = "boundary@1") -> AttentionHeld:
    return AttentionHeld(repo="r", subject=subject, why="", rule=rule)


@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_kept_of_a_proposal_that_was_told_or_came_to_its_end(end: Callable[[str], Event]) -> None:
    state = Attention()
    for number in range(50):
        evolve(state, raised(f"p{number}", "urgent"), 0, "system")
        evolve(state, hold(f"p{number}"), 0, "system")
        assert state.holds(f"p{number}") == {"boundary@1": 0}
        evolve(state, end(f"p{number}"), number * 86_400_000_000, "system")
        if state.deliveries:  # the person's own command failed
            evolve(state, hold(f"p{number}", "notify@1"), number * 86_400_000_000, "system")
    assert len(state.deliveries) <= 4
    assert state.waiting == {}


def test_holds_of_findings_and_turns_are_no_business_of_deliveries() -> None:
    state = Attention()
    evolve(state, hold("secret:0123", "duplicate@1"), 0, "system")
    evolve(state, hold("turn", "pause@1"), 0, "system")
    assert state == Attention()


def test_an_urgent_proposal_counts_as_urgent_when_it_is_told() -> None:
    state = Attention()
    evolve(state, raised("p", "urgent"), 0, "system")
    evolve(state, raised("q"), 0, "system")
    for id_ in ("p", "q"):
        evolve(state, ProposalDelivered(id=id_, boundary="commit"), 5, "system")
    assert state.deliveries == [Delivery(5, "p", True, "r"), Delivery(5, "q", False, "r")]


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


def test_what_is_nearly_always_put_off_at_a_boundary_waits_for_the_brief() -> None:
    learned = Learned(moments={"stale-reference|switch": YesNo(0, 6)})

    def judge(boundary: str, detector: str = "stale-reference", urgent: bool = False) -> Due | Held:
        return decide_delivery("p", urgent, boundary, Attention(), MANNERS, NOON, BERLIN, "r", detector, learned)

    held = judge("switch")
    assert isinstance(held, Held) and held.rule == "moment@1" and held.until == at("2026-06-02T08:00")
    for due in (judge("commit"), judge("brief"), judge("switch", "secret"), judge("switch", urgent=True)):
        assert isinstance(due, Due)
    state = Attention()
    evolve(state, raised("p"), NOON, "system")
    evolve(state, AttentionHeld(repo="r", subject="p", why="w", rule=held.rule, until=held.until), NOON, "system")
    assert releasable(["p"], state, held.until - 1) == [] and releasable(["p"], state, held.until) == ["p"]
