"""Joins what a look found with the cards that speak of it already, so that one card goes on about all that it was
about: what the look found, what it did not look at, and what is not in the tree now.

```
card: renames a (commit A) and b (commit B) ─ B is amended to C ─ turn over C: finds b alone
     ─ looks once more over A and C: finds a and b ─ the card is about both, B and C are the same rename
```
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from kairos.daemon.finding import evidence_of, find
from kairos.detectors.roster import Roster
from kairos.detectors.scene import Facts
from kairos.domain.basis import BasisTree, oids_of
from kairos.domain.events import CommitRecorded, ProposalRaised, ProposalRevised
from kairos.domain.finding import Finding
from kairos.domain.parts import covers, joined_to, names_of, parts_of, whole_basis
from kairos.domain.proposal import LASTING, REVISITED, Proposal
from kairos.domain.raising import is_same
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.inbox import Inbox
from kairos.eventlog.views.repositories import Repository
from kairos.repo.basis_tree import basis_tree
from kairos.repo.git import Git

MOST_CITED = 128
"""So many commits of a card are kept as its evidence, the latest."""


def commits_at(log: Log, positions: Sequence[int]) -> list[Recorded]:
    """The recorded commits among these positions, oldest first, without what was erased."""
    found = []
    for position in positions:
        with suppress(NotFound):
            found.append(log.at(position))
    return sorted((r for r in found if isinstance(r.event, CommitRecorded)), key=lambda r: r.position)


def joined(
    log: Log, finding: Finding, cards: Sequence[ProposalRaised], tree: BasisTree, others: Sequence[Finding] = ()
) -> Finding:
    """A finding as that of these cards (see `parts.joined_to`), which cites their commits too. `others`: what else the
    same look found."""
    cited = {r.position: r for raised in cards for r in commits_at(log, raised.evidence)}
    events = [r.event for r in cited.values() if isinstance(r.event, CommitRecorded)]
    elsewhere = {name for other in others if other.key != finding.key for name in other.names}
    found = joined_to(finding, cards, events, tree, elsewhere)
    wanted = oids_of(found.basis) | (oids_of(found.away.basis) if found.away is not None else frozenset())
    more = [p for p, r in sorted(cited.items()) if isinstance(r.event, CommitRecorded) and r.event.oid in wanted]
    rest = [p for p in more if p not in found.evidence][-MOST_CITED:]
    return msgspec.structs.replace(found, evidence=[*found.evidence, *rest])


def spoken_for(inbox: Inbox, repo: str, names: Collection[str], but: Collection[str]) -> frozenset[str]:
    """The keys among `names` that other proposals of a repository than those of the ids `but` are about: the name that
    a file had between two renames, for one. Of a closed one, too: it is told under its own id if it is so again."""
    others = inbox.known(repo, names, ()) if names else []
    about = (parts_of(p.raised) for p in others if p.id not in but and p.taken_over not in but)
    return frozenset[str]().union(*about) & frozenset(names)


def with_cards(
    log: Log, repo: Repository, findings: Sequence[Finding], known: Sequence[Proposal], trigger: Sequence[Recorded],
    boundary: str, salt: bytes, facts: Facts, roster: Roster, spoken: Callable[[Collection[str]], frozenset[str]],
) -> tuple[list[Finding], list[str]]:  # fmt: skip
    """(the findings of a turn over `trigger`, joined with the cards of `known` that speak of them; problems).
    `spoken`: the keys among some that open proposals are about, other than those of `known`."""
    cards = [p for p in known if p.state in LASTING | REVISITED and any(is_same(f, p) for f in findings)]
    if not cards:
        return list(findings), []
    tree = basis_tree(Git(Path(repo.root)), [whole_basis(p.raised) for p in cards], lambda: facts.tracked)
    out: list[Finding] = []
    problems: list[str] = []
    for detector in dict.fromkeys(f.detector for f in findings):
        mine = [f for f in findings if f.detector == detector]
        narrow = [p for p in cards if any(is_same(f, p) and not covers(f, p.raised) for f in mine)]
        wide = _over(log, narrow, trigger, facts)
        if len(wide) > len(trigger):
            about = "\n".join(p.raised.claim for p in narrow)
            looked = partial(
                find, log, repo, wide, boundary, salt, detector, facts, again=True, about=about, roster=roster
            )
            had = {n for f in mine for n in f.names}.union(*(names_of(p.raised) for p in narrow))
            mine, wrong = looked()
            apart = spoken({n for f in mine for n in f.names} - had)
            if apart and not wrong:
                mine, wrong = looked(apart=apart)
            problems += wrong
        for finding in mine:
            same = [p.raised for p in cards if is_same(finding, p)]
            out.append(joined(log, finding, same, tree, mine) if same else finding)
    return out, problems


def away_commits(log: Log, found: Sequence[Finding | ProposalRevised]) -> list[Recorded]:
    """The commits that parts of these rest on which are not in the tree now, as far as they are cited."""
    out = []
    for one in (f for f in found if f.away is not None):
        oids = oids_of(one.away.basis if one.away is not None else None)
        out += [r for r in commits_at(log, one.evidence) if _oid(r) in oids]
    return out


def _over(log: Log, cards: Sequence[Proposal], trigger: Sequence[Recorded], facts: Facts) -> list[Recorded]:
    """A trigger with the commits in the history of HEAD that these cards cite, in order."""
    cited = {r.position: r for p in cards for r in evidence_of(log, p.raised) if isinstance(r.event, CommitRecorded)}
    here = facts.objects.reachable(sorted({_oid(r) for r in cited.values()}))[0] if cited else frozenset[str]()
    over = {r.position: r for r in (*(r for r in cited.values() if _oid(r) in here), *trigger)}
    return [over[position] for position in sorted(over)]


def _oid(recorded: Recorded) -> str:
    assert isinstance(recorded.event, CommitRecorded)
    return recorded.event.oid
