"""The stack of decisions on one proposal: the last one goes first, and what is over leaves it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain import events as ev
from kairos.domain import proposal as proposals
from kairos.domain.action import Effects, NoteAction
from kairos.domain.proposal import UNDECIDED, Proposal

ID = "kkkk"


def begun() -> Proposal:
    raised = ev.ProposalRaised(
        id=ID, repo="r", digest="d", detector="x", detector_version=1, engine="rules", turn="t", key="k", title="t",
        claim="c", risk="low", action=NoteAction(repo="r", text="n"), effects=Effects(), evidence=[1],
        expires_at=10_000, policy_version="v",
    )  # fmt: skip
    return after(raised, ev.ProposalVerified(id=ID, digest="d", ok=True), p=None)


def after(*events: ev.Event, p: Proposal | None) -> Proposal:
    for event in events:
        p = proposals.evolve(p, event, 1)
    assert p is not None
    return p


def approved(at: int = 100) -> ev.Event:
    return ev.ProposalApproved(id=ID, digest="d", by="user", expires_at=at)


def started(run: Any = "apply") -> ev.Event:
    return ev.ExecutionStarted(id=ID, execution="e", run=run, digest="d", repo="r", expect=[], before=[], store="s")


def finished(outcome: str = "done", run: Any = "apply") -> ev.Event:
    return ev.ExecutionFinished(id=ID, execution="e", run=run, outcome=outcome)


REJECTED = ev.ProposalRejected(id=ID, reason="wrong", never=True)
DEFERRED = ev.ProposalDeferred(id=ID, until=50)
READ = ev.ProposalAcknowledged(id=ID, digest="d")
BACK = ev.DecisionUndone(id=ID, what="x", of=1)
AGAIN = ev.DecisionRedone(id=ID, what="x", of=1)


def whats(p: Proposal) -> tuple[list[str], list[str]]:
    return [e.what for e in p.stack.done], [e.what for e in p.stack.undone]


@pytest.mark.parametrize("decided", [REJECTED, DEFERRED, READ, approved()])
def test_what_was_before_is_restored_and_made_again_exactly(decided: ev.Event) -> None:
    before = begun()
    made = after(decided, p=before)
    back = after(BACK, p=made)
    assert proposals.decision_state(back) == proposals.decision_state(before)
    assert back.delivered, "a person who decided on it was told of it"
    again = after(AGAIN, p=back)
    assert proposals.decision_state(again) == proposals.decision_state(made)
    assert proposals.decision_state(after(BACK, p=again)) == proposals.decision_state(before)


def test_a_second_deferral_taken_back_gives_the_first() -> None:
    p = after(DEFERRED, ev.ProposalDeferred(id=ID, until=90), BACK, p=begun())
    assert (p.state, p.deferred_until) == ("deferred", 50)
    assert whats(p) == (["defer"], ["defer"])
    p = after(BACK, p=p)
    assert (p.state, p.deferred_until) == ("pending", None)


def test_a_rejection_over_a_deferral_walks_back_step_by_step() -> None:
    p = after(DEFERRED, REJECTED, p=begun())
    assert whats(p) == (["defer", "reject"], [])
    p = after(BACK, p=p)
    assert (p.state, p.rejected, p.deferred_until) == ("deferred", None, 50)


def test_a_new_decision_empties_the_redo_line() -> None:
    p = after(REJECTED, BACK, DEFERRED, p=begun())
    assert whats(p) == (["defer"], [])


@pytest.mark.parametrize(
    "over",
    [
        ev.ProposalReturned(id=ID),
        ev.ProposalStale(id=ID, paths=["a"]),
        ev.ProposalSuperseded(id=ID, why="w"),
        ev.ProposalExpired(id=ID),
    ],
)
@pytest.mark.parametrize("decided", [DEFERRED, approved()])
def test_what_is_over_is_not_taken_back(decided: ev.Event, over: ev.Event) -> None:
    p = after(decided, over, p=begun())
    assert whats(p) == ([], [])
    assert proposals.decision_state(after(BACK, p=p)) == proposals.decision_state(p)


@pytest.mark.parametrize("outcome", ["failed", "rolled_back"])
def test_an_approval_whose_run_failed_is_over(outcome: str) -> None:
    assert whats(after(approved(), started(), finished(outcome), p=begun())) == ([], [])
    lost = ev.ExecutionUnknown(id=ID, execution="e", run="apply", paths=["a"])
    assert whats(after(approved(), started(), lost, p=begun())) == ([], [])


def revised(digest: str = "e", **fields: Any) -> ev.Event:
    known = {
        "id": ID, "digest": digest, "detector_version": 1, "turn": "t", "key": "k", "title": "t", "claim": "c",
        "risk": "low", "action": NoteAction(repo="r", text="m"), "effects": Effects(), "evidence": [1],
        "policy_version": "v", "changed": "its base moved",
    }  # fmt: skip
    return ev.ProposalRevised(**{**known, **fields})


@pytest.mark.parametrize("decided", [REJECTED, READ, approved()])
def test_a_proposal_that_is_opened_again_has_nothing_to_take_back(decided: ev.Event) -> None:
    p = after(decided, revised(), p=begun())
    assert (p.state, whats(p)) == ("raised", ([], []))


def test_a_deferral_outlives_a_revision_and_what_returns_is_tried_again() -> None:
    p = after(DEFERRED, revised(), p=begun())
    assert (p.state, whats(p)) == ("deferred", (["defer"], []))
    p = after(BACK, p=p)
    assert (p.state, p.deferred_until) == ("raised", None), "the new digest has not been tried yet"


def test_a_parked_approval_is_void_and_a_parked_deferral_is_taken_back_in_its_place() -> None:
    parked, unparked = ev.ProposalParked(id=ID, why="elsewhere"), ev.ProposalUnparked(id=ID)
    assert whats(after(approved(), parked, p=begun())) == ([], [])
    p = after(DEFERRED, parked, BACK, p=begun())
    assert (p.state, p.parked, p.parked_from, p.deferred_until) == ("parked", "elsewhere", "pending", None)
    p = after(AGAIN, p=p)
    assert (p.state, p.parked_from, p.deferred_until) == ("parked", "deferred", 50)
    p = after(unparked, p=p)
    assert (p.state, whats(p)) == ("deferred", (["defer"], []))


def test_a_rejection_of_what_was_parked_is_taken_back_to_there() -> None:
    p = after(ev.ProposalParked(id=ID, why="elsewhere"), REJECTED, BACK, p=begun())
    assert (p.state, p.parked, p.parked_from, p.rejected) == ("parked", "elsewhere", "pending", None)
    assert after(ev.ProposalUnparked(id=ID), p=p).state == "pending"


def test_a_change_of_the_patch_is_a_decision_until_it_is_made_anew() -> None:
    edited = revised("e", edited="d")
    p = after(DEFERRED, edited, p=begun())
    assert whats(p) == (["defer", "edit"], [])
    back = after(BACK, revised("d", restored=True), p=p)
    assert (back.raised.digest, back.edited, back.state, whats(back)) == ("d", "", "deferred", (["defer"], ["edit"]))
    again = after(AGAIN, revised("e", edited="d", restored=True), p=back)
    assert (again.raised.digest, again.edited, whats(again)) == ("e", "d", (["defer", "edit"], []))
    for other in (p, back, again):
        assert whats(after(revised("f"), p=other)) == (["defer"], [])


def test_a_deferral_until_the_evidence_changes_is_over_when_it_does() -> None:
    waits = ev.ProposalDeferred(id=ID, on_evidence=True)
    p = after(waits, BACK, AGAIN, p=begun())
    assert p.deferred_on_evidence and whats(p) == (["defer"], [])
    assert not after(waits, BACK, p=begun()).deferred_on_evidence
    same = msgspec.structs.replace(revised(), deferred=True)
    away = (ev.ProposalParked(id=ID, why="w"), ev.ProposalUnparked(id=ID))
    for kept in (after(same, p=p), after(*away, p=p), after(away[0], same, away[1], p=p)):
        assert (kept.state, whats(kept)) == ("deferred", (["defer"], []))
    for over in ([revised()], [away[0], revised(), away[1]]):
        back = after(*over, p=p)
        assert back.state in UNDECIDED and not back.deferred_on_evidence and whats(back) == ([], [])


def test_an_execution_is_taken_back_and_made_again_by_its_runs() -> None:
    p = after(approved(), started(), finished(), p=begun())
    assert whats(p) == (["approve"], [])
    p = after(started("undo"), finished(run="undo"), ev.Undone(id=ID, execution="e"), p=p)
    assert (p.state, whats(p)) == ("undone", ([], ["approve"]))
    p = after(started("redo"), finished(run="redo"), ev.Redone(id=ID, execution="e"), p=p)
    assert (p.state, whats(p)) == ("redone", (["approve"], []))


def test_a_failed_undo_changes_nothing_in_the_stack() -> None:
    p = after(approved(), started(), finished(), started("undo"), finished("rolled_back", "undo"), p=begun())
    assert (p.state, whats(p)) == ("executed", (["approve"], []))


def test_the_same_yes_after_its_time_was_over_is_one_decision() -> None:
    p = after(approved(100), approved(200), p=begun())
    assert whats(p) == (["approve"], [])
    assert after(BACK, p=p).state == "pending"


def test_a_log_without_the_approval_can_still_be_undone() -> None:
    assert whats(after(started(), finished(), p=begun())) == (["approve"], [])


@given(st.lists(st.sampled_from([REJECTED, DEFERRED, READ, approved(), BACK, AGAIN]), max_size=200))
def test_a_stack_stays_small_and_its_tops_are_the_newest(events: list[ev.Event]) -> None:
    p = after(*events, p=begun())
    for side in (p.stack.done, p.stack.undone):
        assert len(side) <= 64
        assert [e.moved for e in side] == sorted(e.moved for e in side)
        assert all(e.version <= e.moved <= p.version for e in side)


def test_a_redo_without_an_undo_moves_the_approval_to_the_top_and_is_undone_from_there() -> None:
    p = after(approved(), started(), finished(), p=begun())
    assert whats(p) == (["approve"], [])
    p = after(started("redo"), finished(run="redo"), ev.Redone(id=ID, execution="e"), p=p)
    assert whats(p) == (["approve"], []) and p.stack.done[-1].moved == p.version
    assert p.state == "redone"
    p = after(started("undo"), finished(run="undo"), ev.Undone(id=ID, execution="e"), p=p)
    assert whats(p) == ([], ["approve"]) and p.state == "undone"


def test_a_redo_without_an_undo_that_fails_leaves_it_carried_out() -> None:
    p = after(approved(), started(), finished(), started("redo"), finished("rolled_back", "redo"), p=begun())
    assert p.state == "executed"
