"""Walks a history commit by commit and shows detectors each one as they would have met it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from kairos.detectors.boundaries import BASELINE, BURST, COMMIT
from kairos.detectors.past import PastFacts
from kairos.detectors.scene import CommitFile, Scene, SeenChange, SeenCommit
from kairos.domain.events import CommitRecorded
from kairos.repo.git import Git
from kairos.repo.objects import BlobChange
from kairos.repo.past_rules import PastRules
from kairos.repo.past_tree import REGULAR, PastTree, TreeChange

REPO = "repo-backtest"
_AHEAD = 500
"""The blobs of so many changes of a commit are read at once."""


class HistoryWalk:
    """The scenes of past commits. Close it: it holds processes."""

    def __init__(self, git: Git, salt: bytes) -> None:
        self._git = git
        self._salt = salt
        self._tree = PastTree(git)
        self._rules = PastRules(self._tree)

    def baseline(self, oid: str) -> Scene:
        """The whole tree of a commit, as it is looked at once when a repository is registered."""
        self._tree.move(oid)
        return self._scene(BASELINE, PastFacts(self._tree, self._rules, (), parent=oid), 0)

    def scenes(self, commit: CommitRecorded, position: int) -> Iterator[Scene]:
        """The burst in which the commit's new files appeared, if it has any, then the commit itself."""
        parent = commit.parents[0] if commit.parents else ""
        changes = self._moved(commit.oid, parent)
        both = [e for c in changes[:_AHEAD] for e in (c.before, c.after) if e is not None and e.mode in REGULAR]
        self._tree.blobs.fetch(e.oid for e in both)
        added = [c.path for c in changes if c.before is None and c.after is not None]
        if added and len(commit.parents) < 2:
            facts = PastFacts(self._tree, self._rules, changes, parent=parent, before_commit=True)
            seen = [SeenChange(path, "created", "file", None, position) for path in added]
            yield self._scene(BURST, facts, position, changes=seen)
        facts = PastFacts(
            self._tree, self._rules, changes, parent=parent,
            new=list(self._new(commit, changes)),
        )  # fmt: skip
        yield self._scene(COMMIT, facts, position, commits=[seen_commit(commit, position)])

    def again(self, boundary: str, evidence: Sequence[SeenCommit], added: Sequence[str], at: str) -> Scene:
        """A later commit, to see what has become of a finding: of its commit, or of the files that were new then."""
        self._tree.move(at)
        if boundary != BURST:
            facts = PastFacts(self._tree, self._rules, (), parent=at)
            return self._scene(COMMIT, facts, 0, commits=evidence, again=True)
        there = [TreeChange(p, None, e) for p in added if (e := self._tree.entries.get(p)) is not None]
        facts = PastFacts(self._tree, self._rules, there, parent=at, before_commit=True)
        seen = [SeenChange(c.path, "created", "file", None, 0) for c in there]
        return self._scene(BURST, facts, 0, changes=seen, again=True)

    def exists(self, path: str, at: str) -> bool:
        """Whether a commit has something at a path."""
        self._tree.move(at)
        return self._tree.exists(path)

    def close(self) -> None:
        self._rules.close()
        self._tree.close()

    def _moved(self, oid: str, parent: str) -> list[TreeChange]:
        """Moves the tree to a commit and returns what differs from its first parent."""
        if parent:
            self._tree.move(parent)
            return self._tree.move(oid)
        self._tree.move(oid)
        return [TreeChange(path, None, entry) for path, entry in self._tree.entries.items()]

    def _new(self, commit: CommitRecorded, changes: Sequence[TreeChange]) -> Iterator[BlobChange]:
        """The regular files that a commit changed relative to every parent."""
        fresh = {c.path: c.after for c in changes}
        olds = {c.path: [c.before.oid] if c.before else [] for c in changes}
        for other in commit.parents[1:]:
            found = {c.path: c for c in self._tree.between(other, commit.oid)}
            fresh = {path: entry for path, entry in fresh.items() if path in found}
            for path in fresh:
                olds[path] += [before.oid] if (before := found[path].before) else []
        for path, entry in fresh.items():
            if entry is not None and entry.mode in REGULAR:
                yield BlobChange(commit.oid, path, tuple(olds[path]), entry.oid)

    def _scene(
        self, boundary: str, facts: PastFacts, position: int, *, changes: Sequence[SeenChange] = (),
        commits: Sequence[SeenCommit] = (), again: bool = False,
    ) -> Scene:  # fmt: skip
        return Scene(
            repo=REPO, root=Path("/"), git=self._git, boundary=boundary, now_us=0, salt=self._salt, cause=position,
            changes=changes, commits=commits, again=again, shared=facts,
        )  # fmt: skip


def seen_commit(commit: CommitRecorded, position: int) -> SeenCommit:
    """A recorded commit as a scene has it."""
    files = [CommitFile(c.fs, c.status[:1], c.was.fs if c.was else None) for c in commit.changes]
    return SeenCommit(commit.oid, position, commit.parents, files, commit.cut, commit.at_s)


def paths_of(commit: CommitRecorded) -> list[str]:
    """Every path that a commit changed, former names included."""
    found = [c.fs for c in commit.changes]
    return found + [c.was.fs for c in commit.changes if c.was is not None and c.status.startswith("R")]
