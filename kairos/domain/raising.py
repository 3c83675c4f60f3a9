"""Raising findings: the events that propose them, revise their proposal, or record why they were not proposed. Pure:
known state in, events out.

A finding is identified by its key (detector and what it is about) and the keys of its parts. It has one proposal: a
finding that is found again revises it, and opens it again if it was closed. One that was rejected returns only with a
new place of evidence. Every finding that is held back has a rule and an event, so that `why-not` can explain it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Sequence
from typing import TypeAlias

import msgspec

from kairos.domain import secrets
from kairos.domain.action import Action, NoteAction, PatchAction, digest, effects_of
from kairos.domain.events import (
    AttentionHeld,
    ProposalRaised,
    ProposalRevised,
    ProposalSuperseded,
    ProposalUnparked,
)
from kairos.domain.finding import Finding, was_listed
from kairos.domain.holds import BASELINE, DUPLICATE, FLOOR, NEVER, REJECTED, held_back, label_of
from kairos.domain.inert import shown
from kairos.domain.parts import names_of, parts_of
from kairos.domain.policy import Policy
from kairos.domain.proposal import LASTING, RAN, REVISITED, Proposal, proposal_id, supersede, told_of, unpark
from kairos.domain.revising import is_kept, is_much_worse, new_places, revision
from kairos.domain.risk import assess, worse

Raised: TypeAlias = ProposalRaised | ProposalRevised | ProposalUnparked | ProposalSuperseded | AttentionHeld
_REOPENED = frozenset({"stale", "superseded", "failed"})
"""Closed by the tree: open again when the finding returns."""
_FINAL = frozenset({"executing", "unknown"})
_WHY = {
    "rejected": "you rejected it, and its evidence has not changed",
    "undone": "you undid it, and its evidence has not changed",
    "acknowledged": "you have read it",
    "executed": "it was carried out",
    "redone": "it was carried out",
    "expired": "it expired undecided, and its evidence has not changed",
    "withdrawn": "the same action did not pass verification",
    "unknown": "it was started and its outcome is unknown",
}


class _Hold(msgspec.Struct, frozen=True):
    rule: str
    why: str


def raise_findings(
    findings: Sequence[Finding],
    *,
    known: Sequence[Proposal],
    taken: Container[str],
    listed: Container[str],
    repo: str,
    turn: str,
    boundary: str,
    policy: Policy,
    now: int,
    expire_us: int,
    held: Container[str] = (),
    root: str = "",
    silent: Callable[[ProposalRaised], str] = lambda _: "",
) -> list[Raised]:
    """A ProposalRaised for each new finding; for one that is known the revision of its proposal, if it differs; else an
    AttentionHeld.

    `known`: the proposals of this repository that share a key or a detector with a finding; `taken`: the ids of all
    proposals; `listed`: what was there before the repository was registered (see `finding.was_listed`); `held`:
    the labels of holds already recorded, which are not recorded again; `silent`: why the detector of a new proposal is
    silent where it is (empty: it speaks). ValueError for a finding of another
    repository."""
    out: list[Raised] = []
    keys: set[str] = set()
    ids: set[str] = set()
    speakers = _speakers(findings, known)
    for finding in findings:
        if finding.action.repo != repo:
            raise ValueError(f"{finding.detector} proposes for {finding.action.repo} in a turn over {repo}")
        if finding.key in keys:
            continue
        keys.add(finding.key)
        made = propose(finding, turn=turn, boundary=boundary, policy=policy, now=now, expire_us=expire_us, root=root)
        mine = [p for p in known if speakers.get(p.id, finding) is finding]
        hold, again = _judged(finding, made, mine, listed, now, silent)
        covered = next((p for p in known if p not in mine and _says(speakers[p.id], finding)), None)
        if hold is None and not again and covered is not None:
            hold = _Hold(DUPLICATE, f"it waits for your decision ({covered.id})")
        out += again
        if hold is None and not again and isinstance(made, ProposalRaised):
            raised = _unique(made, taken, ids)
            ids.add(raised.id)
            out.append(raised)
        elif hold is not None:
            event = held_back(finding, hold.rule, f"{finding.title}: {hold.why}", boundary)
            out += [event] if label_of(event) not in held else []
    return out


def propose(
    finding: Finding, *, turn: str, boundary: str, policy: Policy, now: int, expire_us: int, root: str = ""
) -> ProposalRaised | _Hold:
    """The proposal for a finding, or the hold by the policy that forbids it."""
    action = without_secret(checkable(finding), finding.claim)
    effects = effects_of(action)
    by_model = finding.engine == "model"
    risk = assess(action, urgent=finding.urgent and not by_model, network=effects.network, by_model=by_model).risk
    if not by_model:
        risk = worse(risk, finding.at_least)
    verdict = policy.decide(action, risk=risk, detector=finding.detector, repo=finding.action.repo, root=root)
    if verdict.effect == "deny":
        return _Hold(f"policy:{verdict.rule}", verdict.why)
    bound = digest(action, effects, policy.version)
    return ProposalRaised(
        id=proposal_id(f"{finding.action.repo}\0{finding.key}\0{bound}\0{now}"),
        repo=finding.action.repo,
        digest=bound,
        detector=finding.detector,
        detector_version=finding.version,
        engine=finding.engine,
        turn=turn,
        key=finding.key,
        title=finding.title,
        claim=finding.claim,
        risk=risk,
        action=action,
        effects=effects,
        evidence=finding.evidence,
        expires_at=now + expire_us,
        policy_version=policy.version,
        verdict="allow" if verdict.effect == "allow" else "ask",
        boundary=boundary,
        unchecked=finding.unchecked,
        cost_microusd=finding.cost_microusd,
        subjects=finding.subjects,
        fingerprint=finding.fingerprint,
        level=finding.level,
        basis=finding.basis,
        away=finding.away,
    )


def checkable(finding: Finding) -> Action:
    """The action of a finding, or a note instead of a change that rests on more than can be checked before it."""
    cut = finding.basis.cut if finding.basis is not None else 0
    if not cut or isinstance(finding.action, NoteAction):
        return finding.action
    text = (
        f"{finding.claim}\nThe change itself is not proposed: it rests on {cut} more commits and paths than are kept."
    )
    return NoteAction(repo=finding.action.repo, text=text)


def without_secret(action: Action, claim: str) -> Action:
    """The action, or a note instead of it if its text contains a credential-like value."""
    if isinstance(action, NoteAction):
        return msgspec.structs.replace(action, text=secrets.redact(action.text))
    if isinstance(action, PatchAction):
        texts = ["".join(lines) for e in action.edits for h in e.hunks for lines in (h.old, h.new)]
        texts += [e.fs for e in action.edits]
        what = ", ".join(sorted(secrets.redact(shown(e.fs)) for e in action.edits))
        carries = any(secrets.find(text) for text in texts)
    else:
        what = "a command"
        carries = secrets.redact_all(action.argv) != action.argv or bool(secrets.find(" ".join(action.argv)))
    if not carries:
        return action
    text = f"{claim}\nThe change itself ({what}) is not proposed: its text carries a credential-like value."
    return NoteAction(repo=action.repo, text=secrets.redact(text))


def is_here(finding: Finding, rejected: ProposalRaised) -> bool:
    """Whether a finding concerns the same place as a proposal that was rejected for good: the same detector and no
    other files, or for notes the same title."""
    if finding.detector != rejected.detector:
        return False
    if set(finding.names) & {rejected.key, *rejected.subjects}:
        return True
    if isinstance(finding.action, PatchAction) and isinstance(rejected.action, PatchAction):
        return {e.fs for e in finding.action.edits} <= {e.fs for e in rejected.action.edits}
    return finding.title == rejected.title


def is_same(finding: Finding, p: Proposal) -> bool:
    """Whether a proposal is about the same thing: the same key, a common part, one that is away too, or a key of an
    earlier version."""
    return p.raised.key in finding.former_keys or not names_of(p.raised).isdisjoint(finding.names)


def _speakers(findings: Sequence[Finding], known: Sequence[Proposal]) -> dict[str, Finding]:
    """The finding that speaks for each open or closed proposal of which several findings are a part: the one with most
    of its parts, the last of these."""
    found: dict[str, Finding] = {}
    for p in (p for p in known if p.state in LASTING | REVISITED):
        same = [f for f in findings if is_same(f, p)]
        if len(same) > 1:
            about = names_of(p.raised)
            found[p.id] = max(reversed(same), key=lambda f: len(about.intersection(f.names)))
    return found


def _says(speaker: Finding, finding: Finding) -> bool:
    """Whether a finding says all that another one says."""
    return set(finding.subjects or [finding.key]) <= set(speaker.names)


def _judged(
    finding: Finding,
    made: ProposalRaised | _Hold,
    known: Sequence[Proposal],
    listed: Container[str],
    now: int,
    silent: Callable[[ProposalRaised], str],
) -> tuple[_Hold | None, list[Raised]]:
    """Returns (why it is not raised, the events of the proposals it belongs to); neither: it is raised."""
    if isinstance(made, _Hold):
        return made, []
    if was_listed(finding, listed):
        return _Hold(BASELINE, "it was there before Kairos came and is listed, not raised"), []
    same = [p for p in known if is_same(finding, p)]
    lasting = sorted((p for p in same if p.state in LASTING), key=lambda p: p.id != finding.card)
    about = {*finding.names, *(finding.away.subjects if finding.away is not None else [])}
    speaking = {p.id for p in same}
    for p in [*lasting[:1], *(p for p in reversed(same) if p.taken_over not in speaking)]:
        hold = _settled(p, made) or _never(p)
        if hold is not None:
            return hold, []
        if p.state in RAN:
            continue  # carried out, and there are new places: another proposal
        others = [q for q in known if q.id != p.id]
        hold = _refused(finding, others) or _below(made, silent) if p not in lasting else None
        if hold is not None:
            return hold, []
        found = revision(p, made, now)
        events: list[Raised] = [*unpark(p, made.expires_at), *([found] if found is not None else [])]  # type: ignore[list-item]
        for other in (q for q in lasting if q.id != p.id and parts_of(q.raised) <= about):
            events += supersede(other, f"{p.id} covers it now", p.id)  # type: ignore[arg-type]
        return (None, events) if events else (_Hold(DUPLICATE, f"it waits for your decision ({p.id})"), [])
    return _refused(finding, known) or _below(made, silent), []


def _settled(p: Proposal, made: ProposalRaised) -> _Hold | None:
    """Why a proposal that was decided or carried out is not proposed again, None if it is."""
    if p.state in LASTING or p.state in _REOPENED:
        return None
    if p.state in _FINAL:
        return _Hold(DUPLICATE, f"{_WHY.get(p.state, 'it is being carried out')} ({p.id})")
    legacy = bool(made.fingerprint) and not p.raised.fingerprint  # its key was a hash of the same evidence
    if not legacy and new_places(p, made):
        return None
    if p.state == "withdrawn" and made.digest != p.raised.digest:
        return None
    if p.state in ("acknowledged", "expired") and (is_much_worse(p.told or told_of(p), made) or is_kept(p, made)):
        return None
    rule = REJECTED if p.state in ("rejected", "undone") else DUPLICATE
    return _Hold(rule, f"{_WHY.get(p.state, 'it waits for your decision')} ({p.id})")


def _never(p: Proposal) -> _Hold | None:
    """The hold of a finding that a person never wants to see here, whatever its places."""
    never = p.state == "rejected" and p.rejected is not None and p.rejected.never
    return _Hold(NEVER, f"you said never here ({p.id})") if never else None


def _refused(finding: Finding, known: Sequence[Proposal]) -> _Hold | None:
    """Why a person does not want to hear of it here, None if nothing says so."""
    for p in known:
        if p.rejected is not None and p.rejected.never and is_here(finding, p.raised):
            return _Hold(NEVER, f"you said never here ({p.id})")
    return None


def _below(made: ProposalRaised, silent: Callable[[ProposalRaised], str]) -> _Hold | None:
    """The hold of a finding whose detector is silent where it is, because of what people did about others of it. An
    urgent one is never held back by that."""
    why = "" if made.risk == "urgent" else silent(made)
    return _Hold(FLOOR, why) if why else None


def _unique(raised: ProposalRaised, taken: Container[str], ids: Collection[str]) -> ProposalRaised:
    """The proposal with an id that is not in use."""
    n = 0
    while raised.id in taken or raised.id in ids:
        n += 1
        raised = msgspec.structs.replace(raised, id=proposal_id(f"{raised.id}\0{n}"))
    return raised
