"""The replay: a history as the daemon would have met it, and each proposal labelled by the commits that follow.

```
git log ──► each commit, oldest first
             ├─ awaited        findings whose commit this one descends from, if it touches what they name: look again
             ├─ look           detectors at the burst of its new files, then at the commit
             └─ raise, tell    by the rules of raising and attention, at the time of the commit; of commits that git
                               wrote in one go (a rebase, a series that was applied) at the last
```
Nothing is written but the journal of what detectors said. A run that was killed goes on from it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo

import msgspec

from kairos.backtest.journal import Journal, JournalEntry, LookSaid, safe
from kairos.backtest.person import Person
from kairos.backtest.result import BacktestResult, RaisedThen
from kairos.backtest.walk import HistoryWalk, paths_of, seen_commit
from kairos.detectors.boundaries import BASELINE, BURST, COMMIT
from kairos.detectors.looking import look
from kairos.detectors.protocol import Detector
from kairos.detectors.scene import SeenCommit
from kairos.domain.attention import Manners, local_day
from kairos.domain.awaited import named, seen_again
from kairos.domain.events import CommitRecorded, ProposalRaised
from kairos.domain.events.detectors import Named
from kairos.domain.finding import Finding
from kairos.domain.hindsight import HORIZON, Again, Awaiting, chance, named_paths
from kairos.domain.learning.lessons import place_of
from kairos.repo.git import Git
from kairos.sensing.commits import count, history

Progress = Callable[[int, int], None]
IN_ONE_GO_S = 2
"""A commit and its child that were made so close together come from one command of git."""
_MOST_PATHS = 20
_IN_FILES = frozenset({"secret"})
"""Detectors that live follow their commit wherever it goes. What people did about it shows in the files."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`last`: so many commits (0: all); `since_s`: only those made since then; `horizon`: after so many descendants a
    finding is decided (0: HORIZON, or as many as its detector asks for)."""

    last: int = 0
    since_s: int = 0
    horizon: int = 0


class Pending(msgspec.Struct):
    """A proposal whose outcome is awaited, with the finding and the evidence for another look."""

    raised: RaisedThen
    awaiting: Awaiting
    finding: Finding
    proposal: str
    evidence: SeenCommit
    added: list[str]
    named: Named


class Replay:
    """One backtest of one repository."""

    def __init__(
        self, git: Git, detectors: Sequence[Detector], options: Options, manners: Manners, zone: tzinfo,
        journal: Journal, salt: bytes,
    ) -> None:  # fmt: skip
        self._git = git
        self._detectors = list(detectors)
        self._options = options
        self._journal = journal
        self._person = Person(manners, zone)
        self._zone = zone
        self._walk = HistoryWalk(git, salt)
        self._pending: list[Pending] = []
        self._raised: list[RaisedThen] = []
        self._ids: dict[str, RaisedThen] = {}
        self._touched: Counter[str] = Counter()
        self._born: dict[str, int] = {}
        self._failures: Counter[str] = Counter()
        self._listed = 0
        self._first_looks: list[LookSaid] = []

    def run(self, head: str, progress: Progress) -> BacktestResult:
        """Replays the history of a commit. GitError."""
        begun = time.monotonic()
        wanted = count(self._git, head, self._options.last, self._options.since_s)
        days: set[str] = set()
        first = last = now = 0
        number = -1
        walked = history(self._git, "backtest", head, self._options.last, self._options.since_s)
        try:
            for number, (commit, amid) in enumerate(in_one_go(walked)):
                now = max(now, commit.at_s)
                first = first or commit.at_s
                last = max(last, commit.at_s)
                days.add(local_day(now * 1_000_000, self._zone))
                self._meets(commit, number, now, amid=amid)
                self._remembers(commit, number)
                progress(number + 1, wanted)
        finally:
            self._walk.close()
        for id_, raised in self._ids.items():
            raised.told = self._person.told.get(id_)
        return BacktestResult(
            head=head, commits=max(0, number + 1), first_s=first, last_s=last, days=len(days),
            detectors=[d.name for d in self._detectors], horizon=self._options.horizon or HORIZON, raised=self._raised,
            listed=self._listed, failures=dict(self._failures), deliveries=self._person.days.total(),
            busiest=max(self._person.days.values(), default=0), repeats=self._person.repeats,
            seconds=time.monotonic() - begun, kept=min(self._journal.upto + 1, max(0, number + 1)),
        )  # fmt: skip

    def _meets(self, commit: CommitRecorded, number: int, now: int, *, amid: bool) -> None:
        """Looks at a commit, or takes what an earlier run of the journal said of it. `amid`: git goes on with another
        commit, so that nothing is told."""
        position = number + 1
        known = number <= self._journal.upto
        entry = self._journal.kept.get(number, JournalEntry(number)) if known else JournalEntry(number)
        if number == 0:
            self._starts(commit, entry if known else None)
        waited = self._awaited(commit, entry.again if known else None)
        looks = entry.looks if known else [*self._first_looks, *self._looks(commit, position)]
        self._first_looks = []
        if not known:
            self._journal.add(JournalEntry(number, looks, waited))
        for said in looks:
            self._failures.update(said.failures)
            if said.boundary == BASELINE:
                self._listed = len(said.findings)
                self._person.lists(said.findings)
                continue
            for event in self._person.raises(said.findings, said.boundary, f"turn-{number}", now * 1_000_000):
                self._awaits(event, said, commit, position, number)
            self._hears(said.boundary, commit, now, amid=amid)
        if not looks:
            self._hears(COMMIT, commit, now, amid=amid)

    def _hears(self, boundary: str, commit: CommitRecorded, now: int, *, amid: bool) -> None:
        if not amid:
            self._person.hears(boundary, commit.oid, now * 1_000_000)

    def _starts(self, commit: CommitRecorded, known: JournalEntry | None) -> None:
        """Lists what is there before the first commit."""
        if known is None and commit.parents:
            scene = self._walk.baseline(commit.parents[0])
            findings, failures = look(scene, detectors=self._detectors)
            self._first_looks = [LookSaid(BASELINE, safe(findings), [f.detector for f in failures])]

    def _looks(self, commit: CommitRecorded, position: int) -> list[LookSaid]:
        out: list[LookSaid] = []
        if commit.left_out:
            return out
        for scene in self._walk.scenes(commit, position):
            findings, failures = look(scene, detectors=self._detectors)
            if findings or failures:
                out.append(LookSaid(scene.boundary, safe(findings), [f.detector for f in failures]))
        return out

    def _awaits(
        self, event: ProposalRaised, said: LookSaid, commit: CommitRecorded, position: int, number: int
    ) -> None:
        finding = next(f for f in said.findings if f.key == event.key)
        horizon = self._options.horizon or finding.horizon or HORIZON
        what = named(finding)
        asked = list(named_paths(finding.action, finding.basis))[:_MOST_PATHS] or [""]
        rate = sum(chance(self._touched[p], max(0, position - 1 - self._born.get(p, position)), horizon) for p in asked)
        raised = RaisedThen(
            detector=finding.detector, commit=commit.oid, at_s=commit.at_s, title=finding.title, claim=finding.claim,
            boundary=said.boundary, chance=rate / len(asked), place=place_of(asked if asked != [""] else []),
        )  # fmt: skip
        self._raised.append(raised)
        self._ids[event.id] = raised
        self._pending.append(
            Pending(
                raised, Awaiting(commit.oid, horizon, list(finding.fingerprint)), finding, event.id,
                seen_commit(commit, position), _files(finding, commit), what,
            )
        )  # fmt: skip

    def _awaited(self, commit: CommitRecorded, known: list[Again] | None) -> list[Again]:
        """Follows every awaited finding over a commit; returns what the looks at it said."""
        said: list[Again] = []
        open_ = []
        changed = paths_of(commit)
        earlier = {a.key: a for a in known or ()}
        for pending in self._pending:
            one = pending.awaiting
            if not one.follow(commit.oid, commit.parents):
                open_.append(pending)
                continue
            if known is not None:
                again = earlier.get(pending.finding.key)
            else:
                again = self._looked_again(pending, commit, changed)
            if again is not None:
                said.append(again)
                if again.moot:
                    one.taken_back(commit.oid)
                else:
                    one.looked(commit.oid, again.places)
            one.pass_by()
            if one.label == "unknown":
                open_.append(pending)
            else:
                pending.raised.label, pending.raised.by, pending.raised.after = one.label, one.by, one.seen
                if one.label != "left":
                    self._person.did_it(pending.proposal, commit.at_s * 1_000_000)
        self._pending = open_
        return said

    def _looked_again(self, pending: Pending, commit: CommitRecorded, changed: Sequence[str]) -> Again | None:
        """What has become of a finding, None if the commit touches nothing that it names."""
        finding = pending.finding
        if not pending.named.concerns(changed):
            return None
        detectors = [d for d in self._detectors if d.name == finding.detector]
        boundary = BURST if finding.detector in _IN_FILES else pending.raised.boundary
        scene = self._walk.again(boundary, [pending.evidence], pending.added, commit.oid)
        found, failures = look(scene, detectors=detectors)
        if failures:
            return None
        return seen_again(pending.named, found, lambda path: self._walk.exists(path, commit.oid))

    def _remembers(self, commit: CommitRecorded, at: int) -> None:
        if len(commit.parents) < 2:
            for path in paths_of(commit):
                self._touched[path] += 1
                self._born.setdefault(path, at)


def _files(finding: Finding, commit: CommitRecorded) -> list[str]:
    """The files of a commit that a finding may be in: of one that was seen before its commit those that were new."""
    wanted = "AMRCT" if finding.detector in _IN_FILES else "A"
    return [c.fs for c in commit.changes if c.status[:1] in wanted]


def in_one_go(walked: Iterable[CommitRecorded]) -> Iterator[tuple[CommitRecorded, bool]]:
    """(each commit, whether its child follows within IN_ONE_GO_S): git was then still at work."""
    before: CommitRecorded | None = None
    for commit in walked:
        if before is not None:
            yield before, commit.parents[:1] == [before.oid] and 0 <= commit.at_s - before.at_s <= IN_ONE_GO_S
        before = commit
    if before is not None:
        yield before, False
