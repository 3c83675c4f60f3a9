"""Keeps proposals in step with the tree: revises, parks, closes and reopens those that recent changes may concern.

A proposal whose basis is not in the tree is parked; it returns by itself with the basis. One whose basis is gone, or
whose finding is resolved, is closed with the reason. One that was closed is open again, under the same id, when its
finding returns. The evidence is looked at again by the detector that raised it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kairos.acting.drift import BY_HAND, done_by, drift
from kairos.daemon.elsewhere import kept_with
from kairos.daemon.finding import evidence_of, find
from kairos.daemon.folded import World
from kairos.daemon.joining import away_commits, joined, spoken_for
from kairos.detectors.looking import UNCOMMITTED, resolved
from kairos.detectors.roster import Roster
from kairos.detectors.scene import Facts
from kairos.detectors.touching import TouchedSince, TreeMoment, moment_of, names_of_absent, paths_in, words_of
from kairos.domain.action import PatchAction
from kairos.domain.basis import Basis, BasisMissing, BasisTree, absence, missing, oids_of, paths_of, reached, reached_of
from kairos.domain.events import AttentionHeld, CommitRecorded, Event, ProposalRaised, ProposalRevised
from kairos.domain.finding import Finding
from kairos.domain.holds import ENDING
from kairos.domain.keeping import carried, edit_kept, is_back, not_found, thrown_away, to_follow, without_look
from kairos.domain.parts import may_hold_in_part, names_of, parts_of, whole_basis
from kairos.domain.proposal import DONE, LASTING, REVISITED, Proposal, stream_of
from kairos.domain.raising import Raised, is_same
from kairos.errors import Conflict
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Recorded
from kairos.eventlog.views.commits import CommitsView, events_of_commit
from kairos.eventlog.views.repositories import Repository
from kairos.repo.basis_tree import basis_tree
from kairos.repo.git import Git, GitError

_FEW = 20
Raising = Callable[[Sequence[Finding], Repository, str, str], list[Raised]]
"""The events for findings of a repository, a turn and a boundary."""
Rebase = Callable[[Proposal, Repository, str], ProposalRevised | str]
"""A proposal on the files as they are, or why it does not fit them. The text is the digest of the patch that was found,
if a person changed it."""


class ProposalKeeper:
    """Compares the waiting, the parked and the lately closed proposals of a repository with its tree."""

    def __init__(
        self, log: Log, world: World, salt: bytes, raising: Raising, rebase: Rebase, expire_us: Callable[[], int],
        roster: Callable[[], Roster],
    ) -> None:  # fmt: skip
        self._log = log
        self._rebase = rebase
        self._world = world
        self._salt = salt
        self._raising = raising
        self._expires = expire_us
        self._roster = roster
        self._touched: dict[str, TouchedSince] = {}
        """By repository: changes since its proposals were last compared; no entry: all must be."""
        self._cited: dict[str, dict[str, tuple[ProposalRaised, frozenset[str]]]] = {}
        """By repository and id: a proposal and the paths that its evidence names, so that an edit reads no event."""

    def note(self, repo_id: str, event: Event) -> None:
        """Notes an event of a repository, so that `keep` knows which proposals it may concern."""
        if repo_id in self._touched:
            self._touched[repo_id].note(event)

    def start_over(self) -> None:
        """Makes the next comparison cover all proposals, because the changes since the last one are not known."""
        self._touched.clear()

    def keep(
        self,
        repo: Repository,
        cause: int | None,
        trigger: Sequence[Recorded] = (),
        boundary: str = "",
        seen: tuple[TreeMoment, Facts] | None = None,
        only: Sequence[str] = (),
        *,
        patient: bool = True,
    ) -> bool:
        """Brings the proposals that recent changes may concern, and those of the ids `only`, in step with the tree.
        False if that must be done again, because git changed the tree meanwhile; not `patient`: also while git is at
        work.

        `trigger`: the events of the turn; `cause`: the position that brought this about; `seen`: the state that the
        turn saw, None to look now."""
        with self._world.reading() as views:
            lasting = [p for p in views.inbox.live() if p.raised.repo == repo.id and p.state in LASTING]
            lapsed = [p for p in views.inbox.lapsed(repo.id) if self._can_look(p) or _was_moved_off(p)]
            lapsed = [p for p in lapsed if not _is_spoken_for(p, views.inbox.proposals.get(p.taken_over))]
            ran = [p for p in views.inbox.carried_out(repo.id) if self._can_look(p)]
            last = {p.id: views.inbox.positions[p.id] for p in (*lasting, *lapsed, *ran)}
        if cause is not None:
            lasting = [p for p in lasting if last[p.id][0] <= cause]  # not what this turn raised
        if seen is None or seen[0].is_over(moment_of(Path(repo.root))):
            seen = look_around(repo)
        moment, facts = seen
        touched = self._touched.get(repo.id)
        if touched is not None and touched.signature != moment.signature:
            touched.everything = True
        self._touched[repo.id] = TouchedSince(moment.signature)
        cited = self._cited.get(repo.id, {})
        self._cited[repo.id] = {p.id: cited[p.id] for p in lasting if p.id in cited}
        wider: list[Proposal] = []
        if touched is not None and touched.committed:
            may_name = names_of_absent(trigger, facts)
            wider = [p for p in lapsed if may_name(p.raised)][-_FEW:]
        known = {*only, *(p.id for p in wider)}
        concerned = [p for p in (*lasting, *lapsed) if touched is None or p.id in known or self._concerns(touched, p)]
        concerned += [p for p in ran if touched is not None and touched.by_git & _rests_on(p)]
        if not concerned:
            return True
        try:
            tree = basis_tree(Git(Path(repo.root)), [whole_basis(p.raised) for p in concerned], lambda: facts.tracked)
        except GitError:
            self._touched[repo.id].everything = True  # look again next time
            return True
        for p in concerned:
            if self._is_over(p):
                self._touched[repo.id].everything = True
                continue
            evidence = evidence_of(self._log, p.raised, trigger)
            at = _Look(
                p, repo, evidence, boundary, last[p.id][-1] if cause is None else cause, facts, touched, moment, patient
            )
            if not self._one(at, tree):
                self._touched[repo.id].everything = True
            if at.is_over:
                if touched is None:
                    del self._touched[repo.id]
                else:
                    touched.everything, self._touched[repo.id] = True, touched
                return False
        return True

    def _is_over(self, p: Proposal) -> bool:
        """Whether a proposal was opened or closed since it was read: by a revision of another one, or by a person."""
        with self._world.reading() as views:
            now = views.inbox.proposals.get(p.id)
        return now is None or now.state != p.state

    def _concerns(self, touched: TouchedSince, p: Proposal) -> bool:
        """Whether a proposal is to be looked at again. One that was closed may be open again if a path that it names
        changed, if git moved and it can become worse (a secret that was read may be pushed), or if the ignore rules no
        longer hide it."""
        if p.state in REVISITED:
            again = (touched.everything and p.raised.level > 0) or (touched.rules and p.raised.detector in UNCOMMITTED)
            return again or touched.concerns(p.raised, lapsed=True)
        return touched.concerns(p.raised, lambda: self._paths_cited(p.raised))

    def _paths_cited(self, raised: ProposalRaised) -> frozenset[str]:
        known = self._cited[raised.repo].get(raised.id)
        if known is None or known[0] is not raised:
            known = self._cited[raised.repo][raised.id] = raised, paths_in(evidence_of(self._log, raised))
        return known[1]

    def _one(self, at: _Look, tree: BasisTree) -> bool:
        """Brings one proposal in step; False if that must be tried again."""
        p = at.proposal
        away = at.touched is not None and at.touched.moved
        amiss = missing(p.raised.basis, tree)
        whole = whole_basis(p.raised)
        for path in to_follow(whole, tree):
            at.evidence = [*at.evidence, *self._removals(path, at)]
        at.evidence = _in_reach(p, at.evidence, whole, tree)
        became, moved = drift(p, Path(at.repo.root)) if amiss is None else ("same", [])
        if p.state in DONE:
            return self._thrown_away(at, tree) if amiss is None and became == "same" else True
        if became == "done" and (back := is_back(p)):
            return self._append(at, back)
        decided = without_look(
            p, amiss, became, done=self._done(p) if became == "done" else ("", ""), moved=moved,
            followed=amiss is not None and self._may_be_there(at, amiss),
            can_look=self._can_look(p), taken_away=away, expires_at=self._expires(),
        )  # fmt: skip
        if decided is not None:
            return self._append(at, decided)
        if not self._can_look(p):
            if amiss is not None or became == "done" or not isinstance(p.raised.action, PatchAction):
                return True
            return self._append(at, carried(p, self._rebase(p, at.repo, p.edited), moved, self._expires()))
        found, problems = self._find(at)
        others = self._spoken_for(p, found)
        if others and not problems:
            alone, problems = self._find(at, others)
            if any(is_same(f, p) for f in alone):
                found = alone
            elif p.state not in LASTING:
                return not problems  # an open one says all of it
        if problems:
            return False
        same = [f for f in found if is_same(f, p)] or (found if p.raised.basis is None and len(found) == 1 else [])
        if same:
            most = max(same, key=lambda f: len(names_of(p.raised).intersection(f.names)))
            one = joined(self._log, most, [p.raised], tree, found)
            return self._raise(at, [msgspec.structs.replace(one, card=p.id)])
        why = resolved(p.raised)
        if may_hold_in_part(p):
            amiss = absence(whole, tree)
            if amiss is not None and amiss.gone and reached_of(whole, tree):
                amiss = None  # what is left of it is resolved
        done = self._done(p) if became == "done" else None
        return self._append(at, not_found(p, amiss, taken_away=away, resolved=why, done=done))

    def _spoken_for(self, p: Proposal, found: Sequence[Finding]) -> frozenset[str]:
        """The keys of what was found with a proposal that another open one speaks of: it is not taken from that one.
        What both spoke of before stays with both."""
        had = names_of(p.raised) if p.state in LASTING else frozenset[str]()
        names = {name for f in found if is_same(f, p) for name in f.names} - had
        with self._world.reading() as views:
            return spoken_for(views.inbox, p.raised.repo, names, {p.id})

    def _find(self, at: _Look, apart: Collection[str] = ()) -> tuple[list[Finding], list[str]]:
        p = at.proposal
        return find(
            self._log, at.repo, at.evidence, p.found_at or "commit", self._salt, p.raised.detector, at.facts,
            again=True, about=words_of(p.raised), apart=apart, roster=self._roster(),
        )  # fmt: skip

    def _thrown_away(self, at: _Look, tree: BasisTree) -> bool:
        """Opens a proposal again whose change git took out of the tree, if it is found as it was when it was made."""
        p = at.proposal
        found, problems = self._find(at)
        same = [f for f in found if is_same(f, p) and set(f.fingerprint) <= set(p.raised.fingerprint)]
        if problems or not same:
            return not problems
        if not self._append(at, thrown_away(p, self._expires())):
            return False
        with self._world.reading() as views:
            at.proposal = views.inbox.proposals[p.id]
        one = joined(self._log, same[0], [p.raised], tree, found)
        return self._raise(at, [msgspec.structs.replace(one, card=p.id)])

    def _may_be_there(self, at: _Look, amiss: BasisMissing) -> bool:
        """Whether a finding may be there, whole or in part, although something of its basis is not."""
        p = at.proposal
        if p.raised.detector in UNCOMMITTED and (not amiss.gone or at.may_return):
            return True
        if any(r.position not in p.raised.evidence for r in at.evidence):
            return True
        return may_hold_in_part(p) and any(isinstance(r.event, CommitRecorded) for r in at.evidence)

    def _can_look(self, p: Proposal) -> bool:
        """Whether the finding can be looked at again: by the detector that raised it, if it still exists."""
        return p.raised.engine == "rules" and bool(self._roster().named(p.raised.detector))

    def _removals(self, path: str, at: _Look) -> list[Recorded]:
        """The recorded commit in the history of HEAD that removed a path, if the evidence does not have it."""
        oid = at.facts.objects.removed_by(path)
        known = {r.event.oid for r in at.evidence if isinstance(r.event, CommitRecorded)}
        if oid is None or oid in known:
            return []
        found = events_of_commit(self._log, CommitsView().load(self._log)[0], oid, _FEW)
        return [r for r in map(self._log.at, found) if isinstance(r.event, CommitRecorded)][:1]

    def _done(self, p: Proposal) -> tuple[str, str]:
        with self._world.reading() as views:
            return done_by(views.inbox, p)

    def _raise(self, at: _Look, found: Sequence[Finding]) -> bool:
        """Revises the proposal of a finding, and opens it again if it was closed. What holds it back for a time is
        recorded, so that it is looked at again then."""
        with self._world.reading() as views:
            if views.attention.is_muted(found[0].detector, at.repo.id):
                return True
        p = at.proposal
        boundary = at.boundary or p.raised.boundary
        events: list[Event] = []
        for event in self._raising(found, at.repo, p.raised.turn, boundary):
            if isinstance(event, ProposalRevised) and event.id == p.id and isinstance(event.action, PatchAction):
                event = edit_kept(p, event, lambda q, digest: self._rebase(q, at.repo, digest))
            events.append(event)
        held = [e for e in events if isinstance(e, AttentionHeld) and e.rule in ENDING]
        return self._append(at, [*held, *(e for e in events if not isinstance(e, ProposalRaised | AttentionHeld))])

    def _append(self, at: _Look, events: Sequence[Event]) -> bool:
        """Appends the events to their proposals, and holds to the repository; False if another decision came first."""
        at.is_over = at.is_over or at.moved_on()
        if not events or at.is_over:
            return not at.is_over
        streams = [at.repo.id if isinstance(e, AttentionHeld) else stream_of(e.id) for e in events]  # type: ignore[attr-defined]
        with self._world.reading() as views:
            known = views.inbox.proposals
            ids = {e.id for e in events if not isinstance(e, AttentionHeld)}  # type: ignore[attr-defined]
            versions = {stream_of(i): known[i].version for i in ids}
        news = [NewEvent(stream, e, at.cause, "system") for stream, e in zip(streams, events, strict=True)]
        away = away_commits(self._log, [e for e in events if isinstance(e, ProposalRevised)])
        try:
            # A turn looks at what is away when it returns: the rest may be carried out or refused by then.
            self._log.append(news, expected=versions, writes=kept_with(self._log, at.repo.id, away))
        except Conflict:
            return False
        finally:
            self._world.catch_up()
        return True


def _in_reach(p: Proposal, evidence: Sequence[Recorded], whole: Basis | None, tree: BasisTree) -> Sequence[Recorded]:
    """Evidence without the commits of a basis that are not where they must be; of those that carry the same change one
    is there, and cited if it is known. What may be uncommitted is looked for wherever one of its commits put it."""
    if whole is None or p.raised.detector in UNCOMMITTED:
        return evidence
    cited = {r.event.oid for r in evidence if isinstance(r.event, CommitRecorded)}
    kept: set[str] = set()
    for group in whole.commits:
        if here := reached(group, tree).intersection(group.oids):
            kept |= cited & here or cited.intersection(group.oids)
    away = oids_of(whole) - kept
    return [r for r in evidence if not (isinstance(r.event, CommitRecorded) and r.event.oid in away)]


def _was_moved_off(p: Proposal) -> bool:
    """Whether a patch that nobody can make anew was closed because of its files, and may fit them again."""
    return isinstance(p.raised.action, PatchAction) and (p.state == "stale" or p.why == BY_HAND)


def _is_spoken_for(p: Proposal, other: Proposal | None) -> bool:
    """Whether a closed proposal stays closed, because the one that took it over still is about all of it, and may be
    open again itself."""
    return other is not None and other.state in LASTING | REVISITED and parts_of(p.raised) <= parts_of(other.raised)


def _rests_on(p: Proposal) -> frozenset[str]:
    """The paths that a patch changes and rests on."""
    return frozenset(p.raised.effects.files) | paths_of(p.raised.basis)


@dataclass
class _Look:
    """One proposal that is compared with the tree, and what is known for it."""

    proposal: Proposal
    repo: Repository
    evidence: Sequence[Recorded]
    boundary: str
    cause: int
    facts: Facts
    touched: TouchedSince | None
    moment: TreeMoment
    patient: bool
    is_over: bool = False
    """Git changed the tree while it was looked at: what was found is of no moment that there was."""

    def moved_on(self) -> bool:
        """Whether git changed the tree since the look began, or is about to."""
        now = moment_of(Path(self.repo.root))
        return self.moment.is_over(now if self.patient else now._replace(busy=False))

    @property
    def may_return(self) -> bool:
        """Whether the finding may be there although the commit it rests on is gone: it was open until now, or a path
        that it names changed."""
        p = self.proposal
        return p.state not in REVISITED or self.touched is None or self.touched.concerns(p.raised, lapsed=True)


def look_around(repo: Repository) -> tuple[TreeMoment, Facts]:
    """The moment and facts that the next looks share. The moment is taken first, so that changes between the two are
    looked at again."""
    root = Path(repo.root)
    return moment_of(root), Facts(Git(root))
