"""The co-change counts of every repository, folded from recorded commits, and related files derived from them."""

from __future__ import annotations

from _blake2 import blake2b  # importing hashlib loads OpenSSL, which is too slow for a quick command
from collections.abc import Collection, Sequence

import msgspec

from kairos.domain.events import CommitRecorded
from kairos.errors import NotFound, UsageError
from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop, Put, Recorded, Track, TrackedAt, Write
from kairos.eventlog.views.projection import STATE, Projection, sealed
from kairos.memory.cochange import Learner
from kairos.memory.counts import Commit
from kairos.memory.evidence import Evidence, Rows, saved_repositories

_TOPICS = frozenset({"CommitRecorded"})
_DAY_S = 86_400
_ENCODER = msgspec.msgpack.Encoder()
"""Dicts are filled in the order of the log, so equal folds give equal bytes."""


LEAST = 0.2
"""Minimum confidence: what is known less surely is remembered and not told."""


class Related(msgspec.Struct, frozen=True):
    """A file that changes too. `support`: number of commits that show it; `cites`: the events that recorded them."""

    path: str
    confidence: float
    support: int
    cites: list[int]


class Histories(msgspec.Struct):
    """A learner for each repository id; what is saved is read on demand."""

    rows: Rows = msgspec.field(default_factory=lambda: Rows(HistoryView().key))
    by_repo: dict[str, Learner] = {}

    def of(self, repo: str) -> Learner:
        if repo not in self.by_repo:
            self.by_repo[repo] = Learner(Evidence(repo, self.rows))
        return self.by_repo[repo]

    def repositories(self) -> list[str]:
        """The ids of all repositories, sorted."""
        return sorted({*saved_repositories(self.rows), *self.by_repo})


class HistoryView(Projection[Histories]):
    """The view of co-change counts, a row for each file. The dream saves it, so that each night folds only new commits.
    Disposable."""

    name = "history"
    version = 2
    state = Histories
    topics = _TOPICS
    at_once = 20_000

    def apply(self, state: Histories, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, CommitRecorded):
            commit = commit_of(event, recorded.position, recorded.at)
            if commit is not None:
                state.of(event.repo).learn(commit)

    def kept(self, log: Log, upto: int) -> tuple[Histories | None, int]:
        raw, position = self._saved(log, upto)
        return (None, 0) if raw is None else (Histories(Rows(self.key, log, position)), position)

    def saving(self, state: Histories, position: int) -> list[Write]:
        """The writes that save this state; Conflict if another process saved it meanwhile."""
        if state.rows.log is not None and position <= state.rows.upto:
            return []  # saved further on already, and nothing was learned in between
        if state.rows.log is None:
            writes: list[Write] = [Drop(self.key)]  # removes rows left by an earlier fold
        else:
            writes = [TrackedAt(self.key, state.rows.upto)]
        for repo in sorted(state.by_repo):
            writes += state.by_repo[repo].evidence.writes(position)
        return [*writes, Put(self.key, STATE, sealed(b"")), Track(self.key, position)]

    def saved(self, state: Histories, log: Log) -> None:
        state.rows.log, state.rows.upto = log, log.tracking(self.key)
        for learner in state.by_repo.values():
            learner.evidence.saved()

    def encode(self, state: Histories) -> bytes:
        """A hash over everything that was learned: the whole of it need not fit into memory."""
        found = blake2b()
        for repo in state.repositories():
            evidence = state.of(repo).evidence
            found.update(_ENCODER.encode((repo, evidence.totals)))
            for node in evidence.nodes():
                found.update(_ENCODER.encode(node))
        return found.digest()


def commit_of(event: CommitRecorded, position: int, at_us: int) -> Commit | None:
    """The learner's input for a recorded commit; None for a merge, which only repeats its parents' changes. Names that
    are not UTF-8 are left out. The commit time is limited to one day after `at_us`, when the commit was recorded."""
    if len(event.parents) > 1:
        return None
    paths: list[str] = []
    removed: list[str] = []
    renames: dict[str, str] = {}
    for change in event.changes:
        was = change.was.path if change.was is not None else None
        if change.status == "R" and was is not None and change.path is None:
            removed.append(was)
        if change.path is None:
            continue
        if change.status == "D":
            removed.append(change.path)
        else:
            paths.append(change.path)
            if change.status == "R" and was is not None:
                renames[change.path] = was
    at_s = max(0, min(event.at_s, at_us // 1_000_000 + _DAY_S))
    return Commit(at_s=at_s, position=position, paths=paths, removed=removed, renames=renames)


def related_in_history(learner: Learner, paths: Sequence[str], limit: int = 10) -> list[Related]:
    """The files that were committed together with these paths; each result cites the commits."""
    return [
        Related(e.path, round(e.confidence, 4), e.support, e.cites) for e in learner.related(paths, limit, guess=False)
    ]


def learned_until(log: Log, repo: str, at_s: int) -> Learner:
    """The learner of a repository, trained on all recorded commits made up to a time (s)."""
    return _learned(log, repo, at_s=at_s)


def learned_at(log: Log, repo: str, commit: str) -> Learner:
    """The learner trained on a commit and its recorded ancestors. `commit` is an object id or a unique prefix of at
    least 4 digits. NotFound if no commit or several match, UsageError if it is not an object id."""
    if len(commit) < 4 or not set(commit.lower()) <= set("0123456789abcdef"):
        raise UsageError(f"`{commit}` is neither a time nor a commit", "Give an object id, or an ISO date or time.")
    parents: dict[str, list[str]] = {}
    for recorded in log.read(topics=_TOPICS):
        if isinstance(recorded.event, CommitRecorded) and recorded.event.repo == repo:
            parents[recorded.event.oid] = recorded.event.parents
    found = [oid for oid in parents if oid.startswith(commit.lower())]
    if len(found) != 1:
        what = "several recorded commits begin with" if found else "no recorded commit is"
        raise NotFound(f"{what} `{commit}`", "`kairos init --history all` records the past.")
    reached, waiting = set[str](), found
    while waiting:
        oid = waiting.pop()
        if oid not in reached and oid in parents:
            reached.add(oid)
            waiting += parents[oid]
    return _learned(log, repo, oids=reached)


def _learned(log: Log, repo: str, *, at_s: int | None = None, oids: Collection[str] | None = None) -> Learner:
    learner = Learner()
    for recorded in log.read(topics=_TOPICS):
        event = recorded.event
        if not isinstance(event, CommitRecorded) or event.repo != repo:
            continue
        if (at_s is None or event.at_s <= at_s) and (oids is None or event.oid in oids):
            commit = commit_of(event, recorded.position, recorded.at)
            if commit is not None:
                learner.learn(commit)
    return learner
