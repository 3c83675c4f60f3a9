"""The proposal aggregate under every sequence of commands a person, the clock and the tree can give."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kairos.domain import deciding
from kairos.domain import proposal as proposals
from kairos.domain.action import NoteAction, PatchAction, digest, edit, effects_of
from kairos.domain.basis import basis_of
from kairos.domain.events import (
    Event,
    ExecutionFinished,
    ExecutionStarted,
    ProposalApproved,
    ProposalDelivered,
    ProposalRaised,
    ProposalRevised,
    ProposalVerified,
)
from kairos.domain.proposal import Proposal
from kairos.errors import Denied, KairosError, Stale, TryAgain, UsageError

EXPIRES = 1_000
VALID = 100
PATCH = PatchAction(repo="repo-1", edits=[edit("a.txt", (b"one\n", 0o644), (b"two\n", 0o644))])


def raised(action: Any = PATCH, risk: Any = "low") -> Proposal:
    event = ProposalRaised(
        id="kkkk", repo="repo-1", digest=digest(action, effects_of(action), "v"), detector="d", detector_version=1,
        engine="rules", turn="t", key="d:1", title="t", claim="c", risk=risk, action=action,
        effects=effects_of(action), evidence=[1], expires_at=EXPIRES, policy_version="v",
    )  # fmt: skip
    made = proposals.evolve(None, event, 0)
    assert made is not None
    return made


def after(p: Proposal, events: list[Event], at: int = 0) -> Proposal:
    for event in events:
        found = proposals.evolve(p, event, at)
        assert found is not None
        p = found
    return p


def pending(**fields: Any) -> Proposal:
    p = raised(**fields)
    return after(p, deciding.verified(p, ok=True))


def approved(now: int = 0) -> Proposal:
    p = pending()
    return after(p, deciding.approve(p, p.raised.digest, now=now, valid_us=VALID))


def started(p: Proposal, run: Any = "apply", now: int = 0) -> Proposal:
    return after(p, deciding.start_run(p, run, execution=f"x{p.version}", expect=[], before=[], store="s", now=now))


class Life(RuleBasedStateMachine):
    """Commands in any order; whatever the rules let through is folded, as the log would."""

    def __init__(self) -> None:
        super().__init__()
        self.p = raised()
        self.now = 0
        self.history: list[Event] = []

    def take(self, command: Any) -> None:
        before = self.p.state
        try:
            events = command()
        except KairosError:
            return
        self.history += events
        self.p = after(self.p, events, self.now)
        if before in proposals.TERMINAL and before != self.p.state:
            starts = [e for e in events if isinstance(e, ExecutionStarted)]
            assert starts, f"{before} became {self.p.state}"
            assert starts[0].run == ("redo" if before == "undone" else "undo")

    @rule(by=st.integers(1, 400))
    def wait(self, by: int) -> None:
        self.now += by

    @rule(ok=st.booleans())
    def verify(self, ok: bool) -> None:
        self.take(lambda: deciding.verified(self.p, ok=ok))

    @rule(right=st.booleans(), by=st.sampled_from(["user", "rule:x"]))
    def approve(self, right: bool, by: str) -> None:
        wanted = self.p.raised.digest if right else "0" * 64
        self.take(lambda: deciding.approve(self.p, wanted, now=self.now, by=by, valid_us=VALID))

    @rule(reason=st.sampled_from([*deciding.REASONS, "nonsense"]))
    def reject(self, reason: str) -> None:
        self.take(lambda: deciding.reject(self.p, reason))

    @rule(by=st.one_of(st.none(), st.integers(-5, 50)))
    def defer(self, by: int | None) -> None:
        until = None if by is None else self.now + by
        self.take(lambda: deciding.defer(self.p, until, now=self.now))

    @rule(commit=st.booleans())
    def give_back(self, commit: bool) -> None:
        self.take(lambda: proposals.give_back(self.p, None if commit else self.now))

    @rule()
    def expire(self) -> None:
        self.take(lambda: proposals.expire(self.p, self.now))

    @rule()
    def drift(self) -> None:
        self.take(lambda: proposals.mark_stale(self.p, ["a.txt"]))

    @rule()
    def supersede(self) -> None:
        self.take(lambda: proposals.supersede(self.p, "by hand"))

    @rule(run=st.sampled_from(["apply", "undo", "redo"]))
    def start(self, run: Any) -> None:
        self.take(
            lambda: deciding.start_run(
                self.p, run, execution=f"x{self.p.version}", expect=[], before=[], store="s", now=self.now
            )
        )

    @precondition(lambda self: self.p.state == "executing")
    @rule(outcome=st.sampled_from(["done", "rolled_back", "rolled_forward", "failed", "unknown"]))
    def finish(self, outcome: str) -> None:
        if outcome == "unknown":
            self.take(lambda: deciding.lose_run(self.p, ["a.txt"]))
        else:
            self.take(lambda: deciding.finish_run(self.p, outcome, signatures=[]))

    @invariant()
    def every_apply_follows_its_own_approval_of_exactly_this_digest(self) -> None:
        given, applied = 0, 0
        last: ProposalApproved | None = None
        for event in self.history:
            if isinstance(event, ProposalApproved):
                given, last = given + 1, event
            if isinstance(event, ExecutionStarted):
                assert last is not None
                assert last.digest == event.digest == self.p.raised.digest
                if event.run == "apply":
                    applied += 1
                    assert applied <= given
        assert applied <= 1, "an action is carried out by apply at most once"

    @invariant()
    def runs_do_not_overlap(self) -> None:
        open_ = 0
        for event in self.history:
            open_ += isinstance(event, ExecutionStarted)
            open_ -= isinstance(event, ExecutionFinished) or type(event).__name__ == "ExecutionUnknown"
            assert open_ in (0, 1)
        assert (self.p.execution is not None) == (self.p.state == "executing") == (open_ == 1)

    @invariant()
    def nothing_is_approved_that_was_not_verified(self) -> None:
        if self.p.state in ("approved", "executing", "executed"):
            assert any(isinstance(e, ProposalVerified) and e.ok for e in self.history)

    @invariant()
    def version_counts_events(self) -> None:
        assert self.p.version == 1 + len(self.history)


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase


def test_a_stale_digest_is_refused() -> None:
    with pytest.raises(Stale, match="digest"):
        deciding.approve(pending(), "f" * 64, now=0, valid_us=VALID)


def test_what_was_not_verified_cannot_be_approved_yet() -> None:
    with pytest.raises(TryAgain):
        deciding.approve(raised(), None, now=0, valid_us=VALID)


def test_repeating_a_decision_gives_nothing() -> None:
    p = approved()
    assert deciding.approve(p, p.raised.digest, now=5, valid_us=VALID) == []
    q = pending()
    q = after(q, deciding.reject(q, "wrong"))
    assert deciding.reject(q, "style") == []


def test_an_approval_is_valid_until_its_time_and_can_be_renewed() -> None:
    p = approved(now=10)
    assert p.approved is not None
    assert p.approved.expires_at == 110
    with pytest.raises(Stale, match="expired"):
        started(p, now=110)
    assert started(p, now=109).state == "executing"
    assert len(deciding.approve(p, None, now=110, valid_us=VALID)) == 1
    returned = after(p, proposals.give_back(p, 110))
    assert (returned.state, returned.approved) == ("pending", None)


def test_nobody_approves_after_expiry() -> None:
    with pytest.raises(Stale, match="expired"):
        deciding.approve(pending(), None, now=EXPIRES, valid_us=VALID)


@pytest.mark.parametrize("risk", ["high", "urgent"])
def test_a_rule_never_approves_high_risk(risk: str) -> None:
    with pytest.raises(Denied):
        deciding.approve(pending(risk=risk), None, now=0, by="rule:x", valid_us=VALID)
    assert deciding.approve(pending(risk=risk), None, now=0, valid_us=VALID)


def test_a_note_is_acknowledged_and_never_carried_out() -> None:
    p = pending(action=NoteAction(repo="repo-1", text="x"))
    p = after(p, deciding.approve(p, None, now=0, valid_us=VALID))
    assert p.state == "acknowledged"
    with pytest.raises(Denied):
        started(p)


def test_deferred_comes_back_at_its_time_or_at_the_next_commit() -> None:
    p = pending()
    timed = after(p, deciding.defer(p, 50, now=0))
    assert proposals.give_back(timed, 49) == []
    assert proposals.give_back(timed, None) == []
    assert after(timed, proposals.give_back(timed, 50)).state == "pending"
    commit = after(p, deciding.defer(p, None, now=0))
    assert proposals.give_back(commit, 10_000) == []
    assert after(commit, proposals.give_back(commit, None)).state == "pending"
    with pytest.raises(UsageError):
        deciding.defer(p, 5, now=5)


def test_what_was_deferred_before_verification_comes_back_unverified() -> None:
    p = raised()
    p = after(p, deciding.defer(p, None, now=0))
    assert after(p, proposals.give_back(p, None)).state == "raised"
    assert after(p, deciding.verified(p, ok=False, why="no")).state == "withdrawn"


def test_a_failed_apply_is_failed_and_a_failed_undo_leaves_it_executed() -> None:
    p = started(approved())
    assert after(p, deciding.finish_run(p, "rolled_back", signatures=[])).state == "failed"
    done = after(p, deciding.finish_run(p, "done", signatures=[]))
    assert done.last_done == p.execution
    undoing = started(done, "undo")
    assert after(undoing, deciding.finish_run(undoing, "rolled_back", signatures=[])).state == "executed"
    undone = after(undoing, deciding.finish_run(undoing, "done", signatures=[]))
    assert (undone.state, undone.last_done) == ("undone", p.execution)
    again = started(undone, "redo")
    assert after(again, deciding.finish_run(again, "done", signatures=[])).state == "redone"


def test_ids_are_twelve_letters_that_never_read_as_numbers() -> None:
    made = proposals.proposal_id("seed")
    assert len(made) == 12
    assert set(made) <= set(proposals.ALPHABET)
    assert made == proposals.proposal_id("seed") != proposals.proposal_id("other")


OTHER = PatchAction(repo="repo-1", edits=[edit("a.txt", (b"x\none\n", 0o644), (b"x\ntwo\n", 0o644))])


def revision(p: Proposal, action: Any = OTHER, **fields: Any) -> ProposalRevised:
    given: dict[str, Any] = {
        "id": p.id, "digest": digest(action, effects_of(action), "v"), "detector_version": 1, "turn": "t2",
        "key": p.raised.key, "title": "t", "claim": "c", "risk": "low", "action": action,
        "effects": effects_of(action), "evidence": [1, 2], "policy_version": "v", "changed": "a line was added",
    }  # fmt: skip
    return ProposalRevised(**{**given, **fields})


def test_a_revision_voids_an_approval_and_the_trial_of_the_former_digest() -> None:
    p = approved()
    q = after(p, [revision(p)])
    assert (q.state, q.approved, q.verified, q.voided) == ("raised", None, None, p.raised.digest)
    assert q.raised.digest != p.raised.digest
    assert [r.changed for r in q.revisions] == ["a line was added"]
    with pytest.raises(Stale, match="digest"):
        deciding.approve(q, p.raised.digest, now=0, valid_us=VALID)
    with pytest.raises(TryAgain):
        deciding.approve(q, q.raised.digest, now=0, valid_us=VALID)
    late = after(q, [ProposalVerified(id=q.id, digest=p.raised.digest, ok=True)])
    assert late.state == "raised"
    done = after(q, deciding.verified(q, ok=True))
    assert done.state == "pending"
    again = after(done, deciding.approve(done, done.raised.digest, now=0, valid_us=VALID))
    assert (again.state, again.voided) == ("approved", "")


def test_a_revision_of_the_words_alone_keeps_the_approval_and_the_trial() -> None:
    p = approved()
    q = after(p, [revision(p, PATCH, title="other words")])
    assert (q.state, q.approved, q.raised.title) == ("approved", p.approved, "other words")


def test_a_revision_opens_what_was_closed_and_leaves_deferred_and_parked() -> None:
    p = pending()
    for close in (
        lambda: deciding.reject(p, "wrong"),
        lambda: proposals.supersede(p, "by hand"),
        lambda: proposals.mark_stale(p, ["a.txt"]),
        lambda: proposals.expire(p, EXPIRES),
        lambda: deciding.verified(p, ok=False),
    ):
        closed = after(p, close())
        assert closed.state in proposals.TERMINAL
        opened = after(closed, [revision(p)])
        assert (opened.state, opened.id, opened.rejected) == ("raised", p.id, None)
    later = after(p, deciding.defer(p, None, now=0))
    assert after(later, [revision(p)]).state == "deferred"
    assert after(after(p, proposals.park(p, "x")), [revision(p)]).state == "parked"


def test_only_a_worse_revision_is_told_again() -> None:
    p = after(pending(), [ProposalDelivered(id="kkkk", boundary="commit")])
    assert p.told == proposals.ToldState("low", 0, 0, boundary="commit")
    assert after(p, [revision(p)]).delivered
    assert not after(p, [revision(p, worse=True)]).delivered


@pytest.mark.parametrize("state", ["raised", "pending", "deferred", "approved"])
def test_a_parked_proposal_returns_to_what_it_was_and_an_approval_is_void(state: str) -> None:
    p = {
        "raised": raised, "pending": pending, "approved": approved,
        "deferred": lambda: after(pending(), deciding.defer(pending(), 90, now=0)),
    }[state]()  # fmt: skip
    p = msgspec.structs.replace(p, raised=msgspec.structs.replace(p.raised, basis=basis_of([["a" * 40]])))
    away = after(p, proposals.park(p, "another branch"))
    assert (away.state, away.parked, away.approved) == ("parked", "another branch", None)
    assert proposals.park(away, "another branch") == []
    assert proposals.give_back(away, 10_000) == []
    assert proposals.expire(away, EXPIRES) == []
    with pytest.raises(Stale, match="parked"):
        deciding.approve(away, None, now=0, valid_us=VALID)
    back = after(away, proposals.unpark(away, 5_000))
    assert back.state == ("pending" if state == "approved" else state)
    assert (back.parked, back.parked_from, back.raised.expires_at) == ("", None, 5_000)
    assert back.deferred_until == p.deferred_until
    assert proposals.unpark(back, None) == []


def test_what_is_parked_and_rests_on_no_commit_expires() -> None:
    away = after(pending(), proposals.park(pending(), "a stash"))
    assert proposals.expire(away, EXPIRES - 1) == []
    assert after(away, proposals.expire(away, EXPIRES)).state == "expired"


def test_a_parked_proposal_can_be_rejected_and_closed() -> None:
    away = after(pending(), proposals.park(pending(), "elsewhere"))
    assert after(away, deciding.reject(away, "wrong")).state == "rejected"
    gone = after(away, proposals.supersede(away, "gone"))
    assert (gone.state, gone.parked) == ("superseded", "")
