"""A person's own change of a proposal's patch, or a model's at their word: the same proposal under a new digest.
Pure."""

from __future__ import annotations

import msgspec

from kairos.domain import events as ev
from kairos.domain.action import PatchAction, digest, effects_of
from kairos.domain.amounts import count, listed
from kairos.domain.deciding import decided
from kairos.domain.events import Event
from kairos.domain.events.proposals import ProposalRaised, Risk
from kairos.domain.finding import READ_UNTRUSTED
from kairos.domain.hunks import groups
from kairos.domain.policy import Policy
from kairos.domain.proposal import OPEN, Proposal, found_words
from kairos.domain.raising import without_secret
from kairos.domain.risk import assess, worse
from kairos.errors import Denied, Stale, UsageError

MODEL_UNCHECKED = "a model changed this patch: its reasoning was not checked, only that the patch applies"


class ModelWords(msgspec.Struct, frozen=True):
    """What a model said of its patch, quoted as its words; the comment that it answered, and what that cost."""

    claim: str
    comment: str
    cost_microusd: int = 0


def revise(p: Proposal, action: PatchAction, *, policy: Policy, root: str, changed: str) -> list[Event]:
    """The same proposal with the patch that a person made of it, under a new digest. `changed`: what they did.

    Stale (5) if it was decided meanwhile; UsageError if nothing is left or it carries a credential; Denied (6) if the
    policy forbids it. Without a difference, no events."""
    made = _made(p, action, policy, root, changed)
    if made is None:
        return []
    title, claim = _words(p, action, made.digest)
    return [msgspec.structs.replace(made, title=title, claim=claim)]


def answer(
    p: Proposal, digest: str, action: PatchAction, *, said: ModelWords, policy: Policy, root: str
) -> list[Event]:
    """The same proposal with the patch that a model made of it because of a comment. What the patch creates, deletes or
    gives another mode stays in it, as a model cannot say that. Title and claim quote the model. Stale (5) if the patch
    is not the one of `digest` any more, and as `revise`; UsageError, too, if the model changed nothing."""
    if p.raised.digest != digest:
        raise Stale(f"{p.id} was revised meanwhile", "Comment on the patch as it is now.")
    paths = {e.fs for e in action.edits}
    present = p.raised.action.edits if isinstance(p.raised.action, PatchAction) else []
    stays = [e for e in present if e.fs not in paths and (e.before is None or e.after is None or not e.hunks)]
    whole = PatchAction(repo=action.repo, edits=sorted([*action.edits, *stays], key=lambda e: e.fs))
    changed = f"a model changed the patch, because you said: {said.comment}"
    made = _made(p, whole, policy, root, changed, by_model=True)
    if made is None:
        raise UsageError("the model gave the same patch again", "Edit it yourself with e.")
    found = p.found or found_words(p)
    quoted = f"{said.claim} You said: “{said.comment}”."
    return [
        msgspec.structs.replace(
            made, title=f"A model's version of: {found.title}", claim=f"{quoted} What was found: {found.claim}",
            by="model", spent_microusd=said.cost_microusd,
            unchecked=list(dict.fromkeys([*p.raised.unchecked, MODEL_UNCHECKED, READ_UNTRUSTED])),
        )
    ]  # fmt: skip


def _made(
    p: Proposal, action: PatchAction, policy: Policy, root: str, changed: str, *, by_model: bool = False
) -> ev.ProposalRevised | None:
    """The revision with another patch and the words as they are; None without a difference."""
    if p.state not in OPEN:
        raise decided(p)
    edited = p.edited or p.raised.digest
    made = rebased(p, action, policy=policy, root=root, changed=changed, edited=edited, by_model=by_model)
    return None if made.digest == p.raised.digest or action == p.raised.action else made


def rebased(
    p: Proposal, action: PatchAction, *, policy: Policy, root: str, changed: str, edited: str, by_model: bool = False
) -> ev.ProposalRevised:
    """The same proposal with another patch and its words as they are, whatever its state. `edited`: the digest of the
    patch that was found, if a person changed it; `by_model`: a model wrote this patch. UsageError and Denied as
    `revise`."""
    raised = p.raised
    if not action.edits:
        raise UsageError(f"nothing is left of the patch of {p.id}", f"To refuse it: `kairos reject {p.id} -m TEXT`.")
    if without_secret(action, raised.claim) != action:
        raise UsageError("the patch carries a credential-like value, which the log must not keep", "Leave it out.")
    effects = effects_of(action)
    risk = _risk_of_edit(raised, action, by_model)
    verdict = policy.decide(action, risk=risk, detector=raised.detector, repo=raised.repo, root=root)
    if verdict.effect == "deny":
        raise Denied(f"{p.id} stays as it was: {verdict.why}", "Leave these paths out of the patch.")
    bound = digest(action, effects, policy.version)
    return ev.ProposalRevised(
        id=p.id, digest=bound, detector_version=raised.detector_version, turn=raised.turn, key=raised.key,
        title=raised.title, claim=raised.claim, risk=risk, action=action, effects=effects, evidence=raised.evidence,
        policy_version=policy.version, changed=changed, boundary=raised.boundary,
        unchecked=raised.unchecked, subjects=raised.subjects,
        fingerprint=raised.fingerprint, level=raised.level, basis=raised.basis, away=raised.away, edited=edited,
    )  # fmt: skip


def _words(p: Proposal, action: PatchAction, bound: str) -> tuple[str, str]:
    """(title, claim) that speak of the patch as a person left it, and quote what was found."""
    found = p.found or found_words(p)
    if bound == p.edited:
        return found.title, found.claim
    files = list(effects_of(action).files)
    left_out = [path for path in found.files if path not in files]
    size = len(groups(action))
    said = f"Your version: {count(size, 'hunk')} in {listed(files)}"
    if (size, files) != (found.hunks, found.files):
        said += f" (found: {count(found.hunks, 'hunk')} in {count(len(found.files), 'file')})"
    if left_out:
        said += f"; left out: {listed(left_out)}"
    part = f", {size} of {count(found.hunks, 'hunk')}," if size < found.hunks else ""
    return f"Your version{part} of: {found.title}", f"{said}. What was found: {found.claim}"


def restore(p: Proposal, wanted: Proposal) -> ev.ProposalRevised:
    """The same proposal with the patch that it had when it was `wanted`, because a person took their change back or
    made it again."""
    raised = wanted.raised
    return ev.ProposalRevised(
        id=p.id, digest=raised.digest, detector_version=raised.detector_version, turn=raised.turn, key=raised.key,
        title=raised.title, claim=raised.claim, risk=raised.risk, action=raised.action, effects=raised.effects,
        evidence=raised.evidence, policy_version=raised.policy_version, verdict=raised.verdict,
        changed="your change of the patch was " + ("made again" if wanted.edited and not p.edited else "taken back"),
        boundary=raised.boundary, unchecked=raised.unchecked, subjects=raised.subjects,
        fingerprint=raised.fingerprint, level=raised.level, basis=raised.basis, away=raised.away,
        edited=wanted.edited, restored=True,
    )  # fmt: skip


def _risk_of_edit(raised: ProposalRaised, action: PatchAction, by_model: bool) -> Risk:
    """The risk of the new patch; never less than what the detector asked for beside the risk of its own patch."""
    found_by_model = raised.engine == "model"
    own = assess(raised.action, by_model=found_by_model).risk
    new = assess(action, by_model=by_model or found_by_model).risk
    return new if own == raised.risk else worse(new, raised.risk)
