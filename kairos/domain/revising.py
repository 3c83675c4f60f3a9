"""Revising: what becomes of a proposal whose finding was found again in another form. Pure.

A finding keeps its proposal. If the action, the words, the places or the basis differ, the proposal is revised; if it
was closed without having been carried out, it is open again. A person is told again only of what is materially worse
than what they were told.
"""

from __future__ import annotations

import msgspec

from kairos.domain.action import PatchAction
from kairos.domain.amounts import count, listed
from kairos.domain.basis import Basis, joined, oids_of
from kairos.domain.events import ProposalRaised, ProposalRevised
from kairos.domain.events.proposals import AwayParts
from kairos.domain.inert import shown
from kairos.domain.parts import marks_of, parts_of
from kairos.domain.proposal import OPEN, Proposal, ToldState
from kairos.domain.risk import RANK

SOON = 10 * 60_000_000
MOVED = "you deferred it until what it rests on changes, and that changed"
GONE = "no branch leads to it any more"
_AGAIN = {
    "rejected": "its evidence changed since you rejected it",
    "acknowledged": "its evidence changed since you read it",
    "expired": "its evidence changed since it expired",
    "withdrawn": "the action is another one than the one that did not pass",
    "superseded": "it is so again",
    "stale": "made anew from the files as they are",
    "failed": "made anew after it failed",
}
"""What reopens a closed proposal, by its state."""


def new_places(p: Proposal, made: ProposalRaised) -> bool:
    """Whether the finding has a place of evidence that the proposal does not know."""
    return not set(made.fingerprint) <= set(p.raised.fingerprint)


def is_much_worse(told: ToldState | None, made: ProposalRaised) -> bool:
    """Whether the finding is materially worse than what a person was told: a higher risk, a higher level (a secret was
    pushed), or at least twice the places. False if they were told nothing yet."""
    if told is None:
        return False
    return RANK[made.risk] > RANK[told.risk] or _is_wider(told, made)


def is_kept(p: Proposal, made: ProposalRaised) -> bool:
    """Whether something bad (a level above 0) that was only staged when a person decided on it is in a commit now."""
    staged = p.raised.basis is not None and not p.raised.basis.commits
    return staged and made.level > 0 and made.basis is not None and bool(made.basis.commits)


def rests_on_another(old: ProposalRaised, made: ProposalRaised) -> bool:
    """Whether what a finding rests on changed: its places, its paths or commits, how bad it is, or the text that its
    patch replaces. Lines that moved, words, and the same change in another commit are no such change."""
    if (made.risk, made.level) != (old.risk, old.level):
        return True
    if made.away is not None or old.away is not None:  # parts that left with a branch, or are back
        return parts_of(made) != parts_of(old) or not set(made.fingerprint) <= marks_of(old)
    if set(made.fingerprint) != set(old.fingerprint):
        return True
    if _shape(made.basis) != _shape(old.basis):
        return True
    if isinstance(made.action, PatchAction):
        return not _same_change(old, made)
    return not made.fingerprint and made.digest != old.digest


def _shape(basis: Basis | None) -> object:
    """A basis without the names of its commits."""
    if basis is None:
        return None
    bare = [msgspec.structs.replace(group, oids=[]) for group in basis.commits]
    return msgspec.structs.replace(basis, commits=bare)


def _is_wider(told: ToldState, made: ProposalRaised) -> bool:
    return made.level > max(told.level, 1) or 0 < 2 * told.places <= len(made.fingerprint)


def is_told_again(p: Proposal, made: ProposalRaised, now: int) -> bool:
    """Whether what was found is told once more. A higher risk alone is not within SOON of the telling: a credential
    that is written, staged and committed in one go is one piece of news."""
    if not p.delivered:
        return False
    known = marks_of(p.raised) if p.state == "superseded" else set(p.raised.fingerprint)
    if p.state in ("superseded", "rejected") and not set(made.fingerprint) <= known:
        return True  # what was told was resolved or refused, and this is elsewhere
    told = p.told
    if told is not None and told.at and now - told.at < SOON:
        return _is_wider(told, made)
    return is_much_worse(told, made)


def revision(p: Proposal, made: ProposalRaised, now: int) -> ProposalRevised | None:
    """The revision that makes the proposal what was found at `now` (us), None if nothing differs and it is open."""
    old = p.raised
    if made.digest == p.edited and p.state in OPEN:
        return None  # nothing moved since a person changed this very patch
    replaced = made.away is not None or old.away is not None or _is_another(p, made)
    basis = made.basis if replaced else joined(old.basis, made.basis)
    if p.edited == made.digest and oids_of(basis) == oids_of(old.basis) and p.state not in _AGAIN:
        return None  # a person changed the patch, and it was found as it was before
    changed = _AGAIN.get(p.state, "")
    details = _parts_moved(old, made) or _details(old, made)
    if not details and oids_of(basis) != oids_of(old.basis):
        details = [f"the same change is in commit {min(oids_of(basis) - oids_of(old.basis), default='?')[:12]} as well"]
    if not details and (
        _bare(old.basis) != _bare(basis) or _apart(old.away) != _apart(made.away) or old.key != made.key
    ):
        details = ["it is known by what it is about now"]
    until_evidence = p.deferred_on_evidence and "deferred" in (p.state, p.parked_from)
    stays = until_evidence and not rests_on_another(old, made)
    if until_evidence and not stays:
        changed = MOVED
    if not changed and not details:
        return None
    return ProposalRevised(
        id=p.id, digest=made.digest, detector_version=made.detector_version, turn=made.turn, key=made.key,
        title=made.title, claim=made.claim, risk=made.risk, action=made.action, effects=made.effects,
        evidence=made.evidence, policy_version=made.policy_version, verdict=made.verdict, boundary=made.boundary,
        unchecked=made.unchecked, subjects=made.subjects, fingerprint=made.fingerprint, level=made.level, basis=basis,
        away=made.away,
        worse=is_told_again(p, made, now), expires_at=made.expires_at if changed else None,
        changed="; ".join(filter(None, [changed, *details])), deferred=stays,
    )  # fmt: skip


def _is_another(p: Proposal, made: ProposalRaised) -> bool:
    """Whether what was found after the proposal was closed shares no place with it: it came about anew, by other
    commits."""
    was, now = marks_of(p.raised), set(made.fingerprint)
    return p.state == "superseded" and bool(was) and bool(now) and was.isdisjoint(now)


def _parts_moved(old: ProposalRaised, made: ProposalRaised) -> list[str]:
    """What became of its parts, in words, if one left the tree or is back."""
    was, now = ({*r.away.subjects} if r.away is not None else set[str]() for r in (old, made))
    out = []
    if left := now - was:
        why = made.away.why if made.away is not None else ""
        out.append(f"{count(len(left), 'part')} of it {'is' if len(left) == 1 else 'are'} not here now: {why or GONE}")
    if back := was & {made.key, *made.subjects}:
        out.append(f"{count(len(back), 'part')} of it {'is' if len(back) == 1 else 'are'} here again")
    return out


def _bare(basis: Basis | None) -> object:
    """A basis in which the order of the commits of a group does not matter."""
    if basis is None:
        return None
    return msgspec.structs.replace(basis, commits=[]), [(frozenset(g.oids), g.reach) for g in basis.commits]


def _apart(away: AwayParts | None) -> object:
    """Parts that are away, without the words that say why."""
    return None if away is None else (away.subjects, _bare(away.basis))


def _details(old: ProposalRaised, made: ProposalRaised) -> list[str]:
    """What differs for a reader, in words."""
    out = []
    if made.risk != old.risk:
        out.append(f"its risk is {made.risk} now, it was {old.risk}")
    if isinstance(old.action, PatchAction) and isinstance(made.action, PatchAction):
        before, now = {e.fs for e in old.action.edits}, {e.fs for e in made.action.edits}
        out += _listed("now also in", now - before) + _listed("no longer in", before - now)
    if (was := len(old.fingerprint)) and (places := len(made.fingerprint)) != was:
        out.append(f"{count(places, 'place')}, there {'was' if was == 1 else 'were'} {was}")
    if not out and made.digest != old.digest:
        patch = isinstance(made.action, PatchAction)
        out.append("its files changed elsewhere; the change is the same" if _same_change(old, made) and patch else "")
        if not out[-1]:
            out[-1] = f"it reads now: {made.title}" if made.title != old.title else "its places or its text moved"
    if not out and (made.title, made.claim, made.unchecked) != (old.title, old.claim, old.unchecked):
        out.append("its words changed")
    return out


def _same_change(old: ProposalRaised, made: ProposalRaised) -> bool:
    def lines(raised: ProposalRaised) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        if not isinstance(raised.action, PatchAction):
            return []
        return sorted((e.fs, tuple(h.old), tuple(h.new)) for e in raised.action.edits for h in e.hunks)

    return lines(old) == lines(made)


def _listed(words: str, paths: set[str]) -> list[str]:
    names = [shown(p) for p in sorted(paths)]
    return [f"{words} {listed(names)}"] if names else []
