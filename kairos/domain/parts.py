"""The parts of a proposal that is about several things, and those of them that are not in the tree now. Pure.

    one turn over commits A (renames a) and B (renames b): one card, about a and b
    checked out: A alone      the card is about a; b is away, with what it rests on
    checked out: B again      the card is about a and b

A part that is away keeps the id, so its return is no news, and the rest of the card stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from kairos.domain.basis import (
    EQUIVALENTS,
    MOST,
    Basis,
    BasisTree,
    CommitBasis,
    absence,
    joined,
    oids_of,
    reached,
)
from kairos.domain.events import CommitRecorded, ProposalRaised
from kairos.domain.events.proposals import AwayParts
from kairos.domain.finding import Finding
from kairos.domain.names import Name
from kairos.domain.proposal import Proposal


def names_of(raised: ProposalRaised) -> frozenset[str]:
    """Every key by which a finding is known as that of this proposal: its own and those of its parts, with what is
    away."""
    return frozenset({raised.key, *parts_of(raised)})


def parts_of(raised: ProposalRaised) -> frozenset[str]:
    """The keys of all that a proposal is about, with what is away."""
    return frozenset([*(raised.subjects or [raised.key]), *(raised.away.subjects if raised.away is not None else [])])


def covers(finding: Finding, raised: ProposalRaised) -> bool:
    """Whether a finding is about all that a proposal is about, with what is away."""
    return parts_of(raised) <= set(finding.names) or raised.key in finding.former_keys


def whole_basis(raised: ProposalRaised) -> Basis | None:
    """What a proposal rests on, with what its parts rest on that are away."""
    away = raised.away
    if raised.basis is None or away is None:
        return raised.basis
    return msgspec.structs.replace(
        raised.basis,
        commits=[*raised.basis.commits, *away.basis.commits],
        present=_more(raised.basis.present, away.basis.present),
        absent=_more(raised.basis.absent, away.basis.absent),
    )


def may_hold_in_part(p: Proposal) -> bool:
    """Whether a part of a proposal may hold while its basis does not. A patch that a person changed is theirs as a
    whole."""
    whole = whole_basis(p.raised)
    return not p.edited and whole is not None and (len(parts_of(p.raised)) > 1 or len(whole.commits) > 1)


def joined_to(
    finding: Finding,
    olds: Sequence[ProposalRaised],
    commits: Sequence[CommitRecorded],
    tree: BasisTree,
    elsewhere: Collection[str] = (),
) -> Finding:
    """A finding as that of proposals that are known: with the commits that made the same moves as its own, and with
    what they are about and is away. `commits`: what was recorded of the commits that these proposals cite; `elsewhere`:
    keys of what other findings say now."""
    if finding.basis is None:
        return finding
    basis = msgspec.structs.replace(finding.basis, commits=_with_alike(finding.basis.commits, commits))
    left = frozenset[str]().union(*map(parts_of, olds)) - {*finding.names, *elsewhere}
    away = _away(finding, basis, left, olds, tree) if basis.commits else None
    if away is None and len(olds) == 1:
        basis = joined(olds[0].basis, basis) or basis
    return msgspec.structs.replace(finding, basis=basis, away=away)


def _with_alike(groups: Sequence[CommitBasis], commits: Sequence[CommitRecorded]) -> list[CommitBasis]:
    """The groups, each with the commits that renamed and deleted the same paths in the same way."""
    by_oid = {c.oid: moves for c in commits if (moves := moves_in(c))}
    out = []
    for group in groups:
        mine = {by_oid[oid] for oid in group.oids if oid in by_oid}
        alike = [c.oid for c in commits if c.oid not in group.oids and by_oid.get(c.oid) in mine and by_oid.get(c.oid)]
        out.append(msgspec.structs.replace(group, oids=[*dict.fromkeys(alike), *group.oids][-EQUIVALENTS:]))
    return out


def moves_in(commit: CommitRecorded) -> frozenset[tuple[str, str, str]]:
    """What a commit renamed and deleted: (R or D, the path before if renamed, the path)."""
    moved = (c for c in commit.changes if c.status[:1] in "RD")
    return frozenset((c.status[:1], c.was.fs if c.was is not None else "", c.fs) for c in moved)


def _away(
    finding: Finding, basis: Basis, left: Collection[str], olds: Sequence[ProposalRaised], tree: BasisTree
) -> AwayParts | None:
    """What of the known proposals is not in the tree, None if it all is. `left`: the keys of parts that were not
    found."""
    wholes = [whole for raised in olds if (whole := whole_basis(raised)) is not None]
    mine = oids_of(basis)
    groups = [g for w in wholes for g in w.commits if mine.isdisjoint(g.oids) and reached(g, tree).isdisjoint(g.oids)]
    if not left:
        groups = [g for g in groups if not tree.in_refs.isdisjoint(g.oids)]
    rest = Basis(
        commits=_each_once(groups)[:MOST],
        present=_without((n for w in wholes for n in w.present), basis.present),
        absent=_without((n for w in wholes for n in w.absent), basis.absent),
    )
    amiss = absence(rest, tree)
    if amiss is None or not (left or groups):
        return None
    places = {mark for raised in olds for mark in marks_of(raised)} - set(finding.fingerprint)
    return AwayParts(
        subjects=sorted(left), basis=rest, fingerprint=sorted(places), why="" if amiss.gone else amiss.why
    )  # fmt: skip


def marks_of(raised: ProposalRaised) -> frozenset[str]:
    """The fingerprints of every place of a proposal, with those of its parts that are away."""
    return frozenset([*raised.fingerprint, *(raised.away.fingerprint if raised.away is not None else [])])


def _each_once(groups: Iterable[CommitBasis]) -> list[CommitBasis]:
    return list({tuple(group.oids): group for group in groups}.values())


def _without(names: Iterable[Name], others: Sequence[Name]) -> list[Name]:
    known = {n.fs for n in others}
    return list({n.fs: n for n in names if n.fs not in known}.values())[:MOST]


def _more(names: Sequence[Name], others: Sequence[Name]) -> list[Name]:
    return [*names, *_without(others, names)]
