"""The co-change counts of every repository, folded from recorded commits, and related files derived from them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from kairos.domain.events import CommitRecorded
from kairos.errors import NotFound, UsageError
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection
from kairos.memory.cochange import Learner
from kairos.memory.counts import Commit, Counts
from kairos.memory.related import Related

_TOPICS = frozenset({"CommitRecorded"})
_DAY_S = 86_400


class Histories(msgspec.Struct):
    """A learner for each repository id."""

    by_repo: dict[str, Learner] = {}

    def of(self, repo: str) -> Learner:
        return self.by_repo.setdefault(repo, Learner())


class HistoryView(Projection[Histories]):
    """The view of co-change counts. The dream saves it, so that each night folds only new commits. Disposable."""

    name = "history"
    state = Histories
    topics = _TOPICS

    def apply(self, state: Histories, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, CommitRecorded):
            commit = commit_of(event, recorded.position, recorded.at)
            if commit is not None:
                state.of(event.repo).learn(commit)

    def encode(self, state: Histories) -> bytes:
        counts = {repo: learner.counts for repo, learner in sorted(state.by_repo.items())}
        return msgspec.msgpack.encode(counts)  # dicts are filled in log order, so equal folds give equal bytes

    def decode(self, raw: bytes) -> Histories:
        counts = msgspec.msgpack.decode(raw, type=dict[str, Counts])
        return Histories({repo: Learner(found) for repo, found in counts.items()})


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
