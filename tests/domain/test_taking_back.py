"""Which decision can be taken back or made again, and what refuses it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kairos.domain import deciding, taking_back
from kairos.domain import proposal as proposals
from kairos.domain.action import NoteAction, PatchAction, digest, edit, effects_of
from kairos.domain.events import AttentionHeld, Event, ProposalRaised
from kairos.domain.finding import Finding
from kairos.domain.policy import parse
from kairos.domain.proposal import Proposal
from kairos.domain.raising import raise_findings
from kairos.errors import Stale, TryAgain

PATCH = PatchAction(repo="r", edits=[edit("a.txt", (b"one\n", 0o644), (b"two\n", 0o644))])


def after(p: Proposal | None, events: list[Event]) -> Proposal:
    for event in events:
        p = proposals.evolve(p, event, 0)
    assert p is not None
    return p


def pending(action: Any = PATCH) -> Proposal:
    raised = ProposalRaised(
        id="kkkk", repo="r", digest=digest(action, effects_of(action), "v"), detector="d", detector_version=1,
        engine="rules", turn="t", key="k", title="t", claim="c", risk="low", action=action, effects=effects_of(action),
        evidence=[1], expires_at=1_000, policy_version="v",
    )  # fmt: skip
    p = after(None, [raised])
    return after(p, deciding.verified(p, ok=True))


def approved() -> Proposal:
    p = pending()
    return after(p, deciding.approve(p, None, now=0, valid_us=100))


def started(p: Proposal, run: Any = "apply") -> Proposal:
    return after(p, deciding.start_run(p, run, execution="e", expect=[], before=[], store="s", now=0))


def done(p: Proposal) -> Proposal:
    return after(p, deciding.finish_run(p, "done", signatures=[]))


def back(p: Proposal) -> Proposal:
    return after(p, taking_back.take_back(p, p.stack.done[-1].version, 7))


def test_the_event_names_what_was_taken_back_and_where_it_was_decided() -> None:
    p = pending()
    p = after(p, deciding.reject(p, "wrong", never=True))
    (event,) = taking_back.take_back(p, p.version, 7)
    assert (event.what, event.of, event.id) == ("reject", 7, "kkkk")  # type: ignore[attr-defined]
    p = after(p, [event])
    assert (p.state, p.rejected) == ("pending", None)
    (event,) = taking_back.make_again(p, p.stack.undone[-1].version, 7, 0)
    p = after(p, [event])
    assert p.state == "rejected" and p.rejected is not None and p.rejected.never


def test_only_the_decision_that_was_read_is_taken_back() -> None:
    p = pending()
    p = after(p, deciding.defer(p, 50, now=0))
    read = p.version
    p = after(p, deciding.reject(p, "wrong"))
    with pytest.raises(Stale, match="decided on anew"):
        taking_back.take_back(p, read, 7)
    with pytest.raises(Stale):
        taking_back.take_back(pending(), 2, 7)


def test_an_approval_is_taken_back_until_it_is_carried_out() -> None:
    p = approved()
    version = p.version
    assert back(p).state == "pending"
    with pytest.raises(TryAgain):
        taking_back.take_back(started(p), version, 7)
    with pytest.raises(Stale, match="carried out meanwhile"):
        taking_back.take_back(done(started(p)), version, 7)


def test_an_approval_made_again_must_still_be_one() -> None:
    p = back(approved())
    version = p.stack.undone[-1].version
    assert after(p, taking_back.make_again(p, version, 7, 99)).state == "approved"
    with pytest.raises(Stale, match="is over"):
        taking_back.make_again(p, version, 7, 100)


def test_nothing_is_made_again_of_what_was_revised_or_is_parked() -> None:
    p = pending()
    p = back(after(p, deciding.reject(p, "wrong")))
    other = msgspec.structs.replace(p, raised=msgspec.structs.replace(p.raised, digest="0" * 64))
    with pytest.raises(Stale, match="digest differs"):
        taking_back.make_again(other, p.stack.undone[-1].version, 7, 0)
    parked = after(p, proposals.park(p, "elsewhere"))
    assert after(parked, taking_back.make_again(parked, p.stack.undone[-1].version, 7, 0)).state == "rejected"
    p = back(approved())
    parked = after(p, proposals.park(p, "elsewhere"))
    with pytest.raises(Stale, match="is parked: elsewhere"):
        taking_back.make_again(parked, p.stack.undone[-1].version, 7, 0)


def test_a_deferral_made_again_must_still_lie_ahead() -> None:
    p = pending()
    p = back(after(p, deciding.defer(p, 50, now=0)))
    with pytest.raises(Stale, match="is over"):
        taking_back.make_again(p, p.stack.undone[-1].version, 7, 50)


def test_nothing_is_made_again_on_a_closed_proposal() -> None:
    p = pending(NoteAction(repo="r", text="n"))
    p = back(after(p, deciding.approve(p, None, now=0, valid_us=1)))
    version = p.stack.undone[-1].version
    with pytest.raises(Stale, match="expired"):
        taking_back.make_again(p, version, 7, 1_000)
    with pytest.raises(Stale, match="decided on anew"):
        taking_back.make_again(after(p, proposals.expire(p, 1_000)), version, 7, 0)


def found_again(known: Proposal, key: str, now: int) -> str:
    """Whether a finding at the same place is raised, or the rule that holds it."""
    finding = Finding(
        detector="d", version=1, key=key, title="t", claim="c", action=NoteAction(repo="r", text="n"), evidence=[1]
    )
    (event,) = raise_findings(
        [finding], known=[known], taken={known.id}, listed=(), repo="r", turn="t", boundary="commit",
        policy=parse({}, "p"), now=now, expire_us=1_000,
    )  # fmt: skip
    return event.rule if isinstance(event, AttentionHeld) else type(event).__name__


@pytest.mark.parametrize(("never", "rule"), [(True, "never@1"), (False, "ProposalRaised")])
def test_a_rejection_taken_back_silences_nothing_and_made_again_it_does(never: bool, rule: str) -> None:
    p = pending(NoteAction(repo="r", text="n"))
    p = after(p, deciding.reject(p, "other", never=never))
    assert found_again(p, "d:other", 10) == rule
    p = back(p)
    assert found_again(p, "d:other", 10) == "ProposalRaised"
    p = after(p, taking_back.make_again(p, p.stack.undone[-1].version, 7, 0))
    assert found_again(p, "d:other", 10) == rule
