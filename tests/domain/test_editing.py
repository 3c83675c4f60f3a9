"""A person's own change of a patch."""

from __future__ import annotations

import msgspec
import pytest

from kairos.domain.action import PatchAction, digest, edit, effects_of
from kairos.domain.editing import revise
from kairos.domain.events import ProposalRaised, ProposalRevised
from kairos.domain.policy import PolicyFile
from kairos.domain.proposal import Proposal, evolve
from kairos.domain.revising import revision
from kairos.errors import Denied, Stale, UsageError

POLICY = PolicyFile().policy()
OLD = b"a\n" * 30


def patch(path: str = "x.md", new: bytes = b"b\n" + OLD) -> PatchAction:
    return PatchAction(repo="r", edits=[edit(path, (OLD, 0o644), (new, 0o644))])


def proposal(action: PatchAction, risk: str = "low") -> Proposal:
    raised = ProposalRaised(
        id="klmnopqrstuv", repo="r", digest=digest(action, effects_of(action), POLICY.version), detector="d",
        detector_version=1, engine="rules", turn="t", key="k", title="T", claim="C", risk=risk, action=action,  # type: ignore[arg-type]
        effects=effects_of(action), evidence=[1], expires_at=10, policy_version=POLICY.version,
    )  # fmt: skip
    found = evolve(None, raised, 1)
    assert found is not None
    return found


def test_an_edited_patch_is_the_same_proposal_under_a_new_digest() -> None:
    before = proposal(patch())
    (event,) = revise(before, patch(new=b"c\n" + OLD), policy=POLICY, root="/r", changed="you edited the patch")
    assert isinstance(event, ProposalRevised)
    after = evolve(before, event, 2)
    assert after is not None
    assert (after.id, after.state, after.edited) == (before.id, "raised", before.raised.digest)
    assert after.raised.digest != before.raised.digest
    (again,) = revise(after, patch(new=b"d\n" + OLD), policy=POLICY, root="/r", changed="again")
    assert isinstance(again, ProposalRevised) and again.edited == before.raised.digest


def test_title_and_claim_speak_of_what_is_left_and_quote_what_was_found() -> None:
    both = PatchAction(repo="r", edits=[*patch("x.md").edits, *patch("y.md").edits])
    before = proposal(both)
    (event,) = revise(before, patch("x.md"), policy=POLICY, root="/r", changed="you kept 1 and dropped 1 hunk")
    assert isinstance(event, ProposalRevised)
    assert event.title == "Your version, 1 of 2 hunks, of: T"
    assert event.claim == (
        "Your version: 1 hunk in x.md (found: 2 hunks in 2 files); left out: y.md. What was found: C"
    )
    after = evolve(before, event, 2)
    assert after is not None
    (again,) = revise(after, patch("x.md", b"c\n" + OLD), policy=POLICY, root="/r", changed="you edited the patch")
    assert isinstance(again, ProposalRevised) and again.title == "Your version, 1 of 2 hunks, of: T"
    assert again.claim.count("Your version") == 1 and again.claim.endswith("left out: y.md. What was found: C")
    (back,) = revise(after, both, policy=POLICY, root="/r", changed="you edited the patch")
    assert isinstance(back, ProposalRevised) and (back.title, back.claim) == ("T", "C")


def test_without_a_difference_nothing_happens() -> None:
    assert revise(proposal(patch()), patch(), policy=POLICY, root="/r", changed="x") == []


def test_risk_is_that_of_the_new_patch_and_what_the_detector_asked_for_stays() -> None:
    risky = patch(".github/workflows/ci.yml")
    (event,) = revise(proposal(patch()), risky, policy=POLICY, root="/r", changed="x")
    assert isinstance(event, ProposalRevised) and event.risk == "high"
    (event,) = revise(proposal(patch(), "urgent"), patch(new=b"c\n"), policy=POLICY, root="/r", changed="x")
    assert isinstance(event, ProposalRevised) and event.risk == "urgent"


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (PatchAction(repo="r", edits=[]), UsageError),
        (patch(new=b"key = AKIA" + b"QY3VFZPLM7SDHNKW\n"), UsageError),
        (patch(".git/hooks/pre-commit"), Denied),
    ],
)  # fmt: skip
def test_nothing_left_a_credential_or_a_forbidden_path_is_refused(action: PatchAction, error: type) -> None:
    with pytest.raises(error):
        revise(proposal(patch()), action, policy=POLICY, root="/r", changed="x")


def test_a_decided_proposal_is_not_edited() -> None:
    done = msgspec.structs.replace(proposal(patch()), state="rejected")
    with pytest.raises(Stale):
        revise(done, patch(new=b"c\n"), policy=POLICY, root="/r", changed="x")


def test_the_patch_that_was_found_does_not_come_back_over_an_edit_until_something_moves() -> None:
    before = proposal(patch())
    (event,) = revise(before, patch(new=b"c\n" + OLD), policy=POLICY, root="/r", changed="you edited the patch")
    after = evolve(before, event, 2)
    assert after is not None
    assert revision(after, before.raised, 0) is None
    moved = msgspec.structs.replace(before.raised, digest="0" * 64, action=patch(new=b"moved\n"))
    assert revision(after, moved, 0) is not None
