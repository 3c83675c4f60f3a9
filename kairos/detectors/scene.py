"""The input of a detector: the trigger, and the repository, which is read lazily, with bounds and as untrusted data."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from kairos.detectors.boundaries import WHOLE
from kairos.domain.events import CommitRecorded, FilesChanged, GitMoved
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.repositories import Repository
from kairos.repo.beneath import Content, Unreadable, as_text, read_beneath
from kairos.repo.git import Git
from kairos.repo.objects import BlobChange, Objects

UNTRACKED_LIMIT = 20_000


class SeenChange(NamedTuple):
    """One changed path of the trigger and the position of the event that recorded the change."""

    path: str
    kind: str
    type: str
    was: str | None
    position: int


class CommitFile(NamedTuple):
    """One path of a commit: its status A M D R C T, and the old path `was` for R and C."""

    path: str
    status: str
    was: str | None


class SeenCommit(NamedTuple):
    """A commit of the trigger, and the position of the event that recorded it (0: not from the log)."""

    oid: str
    position: int
    parents: Sequence[str]
    changes: Sequence[CommitFile]
    cut: int


class Companion(NamedTuple):
    """A path that, by history, changes together with the requested ones: the share of commits (0 to 1), their number,
    and the log positions of the evidence."""

    path: str
    confidence: float
    support: float
    cites: Sequence[int]


Companions = Callable[[Sequence[str]], Sequence[Companion]]


def no_companions(paths: Sequence[str]) -> Sequence[Companion]:
    """Returns no companions: for a repository about which nothing has been learned yet."""
    return ()


class Facts:
    """The state of a repository in git and the work tree at one moment: read once and shared by all its scenes."""

    def __init__(self, git: Git) -> None:
        self.git = git
        self.root = git.root
        self._texts: dict[str, Content | None] = {}
        self._old: dict[tuple[str, str], str | None] = {}

    @cached_property
    def tracked(self) -> frozenset[str]:
        """Every path in the index."""
        return frozenset(self.git.tracked())

    @cached_property
    def unmerged(self) -> frozenset[str]:
        """Paths that git lists as unmerged (with a merge conflict)."""
        out = self.git.run("ls-files", "-z", "--unmerged")
        return frozenset(os.fsdecode(r.split(b"\t", 1)[1]) for r in out.split(b"\0") if b"\t" in r)

    @cached_property
    def untracked(self) -> Sequence[str]:
        """Untracked paths that no rule ignores, sorted; a fully untracked directory is one entry that ends in /."""
        out = self.git.run("ls-files", "-z", "--others", "--exclude-standard", "--directory", "--no-empty-directory")
        return sorted(os.fsdecode(p) for p in out.split(b"\0") if p)

    def untracked_under(self, directories: Sequence[str]) -> list[str]:
        """The untracked, not ignored files below some entries of `untracked`, at most UNTRACKED_LIMIT of them."""
        if not directories:
            return []
        found: list[str] = []
        specs = [f":(literal,top){d}" for d in directories]
        for record in self.git.stream("ls-files", "-z", "--others", "--exclude-standard", "--", *specs):
            found.append(os.fsdecode(record))
            if len(found) >= UNTRACKED_LIMIT:
                break
        return sorted(found)

    @cached_property
    def objects(self) -> Objects:
        """Blobs and commits, by object id."""
        return Objects(self.git)

    @cached_property
    def staged(self) -> Sequence[BlobChange]:
        """The changes in the index relative to HEAD."""
        return self.objects.staged()

    @cached_property
    def unpushed(self) -> dict[str, int]:
        """Commits that are in no remote-tracking branch, newest first, limited in number."""
        return self.objects.unpushed()

    def read(self, path: str) -> Content | None:
        """A regular file of the work tree of at most 1 MiB, with its mode; None for anything else."""
        if path not in self._texts:
            try:
                self._texts[path] = read_beneath(self.root, path)
            except (Unreadable, ValueError):
                self._texts[path] = None
        return self._texts[path]

    def text(self, path: str) -> str | None:
        """The text of a regular file of at most 1 MiB, None unless it is UTF-8 text."""
        content = self.read(path)
        return None if content is None else as_text(content.data)

    def text_in(self, commit: str, path: str) -> str | None:
        """The text of a file in a commit, None unless it is UTF-8 text of at most 1 MiB."""
        if (commit, path) not in self._old:
            try:
                data = self.objects.path_in(commit, path)
            except Unreadable:
                data = None
            self._old[commit, path] = None if data is None else as_text(data)
        return self._old[commit, path]


@dataclass(frozen=True)
class Scene:
    """A repository at one boundary. `cause`: position of the trigger, 0 when there is none (a baseline). `salt`
    prevents guessing a secret value from a key that depends on it. `again`: this is a second look at the evidence of a
    finding that is known, to see what has become of it."""

    repo: str
    root: Path
    git: Git
    boundary: str
    now_us: int
    salt: bytes
    cause: int = 0
    changes: Sequence[SeenChange] = ()
    commits: Sequence[SeenCommit] = ()
    companions: Companions = no_companions
    again: bool = False
    shared: Facts | None = field(default=None, repr=False, compare=False)

    @property
    def whole(self) -> bool:
        """Whether to check the whole tree, not only the changes of the trigger."""
        return self.boundary in WHOLE

    @cached_property
    def facts(self) -> Facts:
        """The facts of the repository, which may be shared with other scenes."""
        return self.shared or Facts(self.git)

    @property
    def tracked(self) -> frozenset[str]:
        """Every path in the index."""
        return self.facts.tracked

    @property
    def unmerged(self) -> frozenset[str]:
        """Paths that git lists as unmerged (with a merge conflict)."""
        return self.facts.unmerged

    @property
    def untracked(self) -> Sequence[str]:
        """Untracked paths that no rule ignores, sorted; a fully untracked directory is one entry that ends in /."""
        return self.facts.untracked

    def untracked_under(self, directories: Sequence[str]) -> list[str]:
        """The untracked, not ignored files below some entries of `untracked`, at most UNTRACKED_LIMIT of them."""
        return self.facts.untracked_under(directories)

    @property
    def objects(self) -> Objects:
        """Blobs and commits, by object id."""
        return self.facts.objects

    @property
    def staged(self) -> Sequence[BlobChange]:
        """The changes in the index relative to HEAD."""
        return self.facts.staged

    @property
    def unpushed(self) -> dict[str, int]:
        """Commits that are in no remote-tracking branch, newest first, limited in number."""
        return self.facts.unpushed

    def read(self, path: str) -> Content | None:
        """A regular file of the work tree of at most 1 MiB, with its mode; None for anything else."""
        return self.facts.read(path)

    def text(self, path: str) -> str | None:
        """The text of a regular file of at most 1 MiB, None unless it is UTF-8 text."""
        return self.facts.text(path)

    def text_in(self, commit: str, path: str) -> str | None:
        """The text of a file in a commit, None unless it is UTF-8 text of at most 1 MiB."""
        return self.facts.text_in(commit, path)

    def exists(self, path: str) -> bool:
        """Whether anything exists at `path`, including a dangling symlink."""
        return os.path.lexists(self.root / path)

    def position_of(self, oid: str) -> int:
        """The position of the event that recorded a commit of the trigger; `cause` for any other commit."""
        return next((c.position for c in self.commits if c.oid == oid and c.position), self.cause)


def scene_of(
    repository: Repository,
    git: Git,
    trigger: Sequence[Recorded],
    boundary: str,
    now_us: int,
    companions: Companions = no_companions,
    *,
    salt: bytes,
    cause: int | None = None,
    facts: Facts | None = None,
    again: bool = False,
) -> Scene:
    """The scene of a trigger: the parts of a burst (FilesChanged), or GitMoved with its CommitRecorded events.

    `cause` defaults to the first GitMoved or CommitRecorded, or to the last event if there is none. Without commits, a
    scene of the whole tree has the latest commits of HEAD."""
    changes: list[SeenChange] = []
    commits: list[SeenCommit] = []
    moved = 0
    for recorded in sorted(trigger, key=lambda r: r.position):
        match recorded.event:
            case FilesChanged() as event:
                changes += [
                    SeenChange(c.fs, c.kind, c.type, c.was.fs if c.was else None, recorded.position)
                    for c in event.changes
                ]
            case CommitRecorded() as event:
                moved = moved or recorded.position
                files = [CommitFile(c.fs, c.status[:1], c.was.fs if c.was else None) for c in event.changes]
                commits.append(SeenCommit(event.oid, recorded.position, event.parents, files, event.cut))
            case GitMoved():
                moved = moved or recorded.position
            case _:
                pass
    last = max((r.position for r in trigger), default=0)
    if not commits and boundary in WHOLE:
        commits = [SeenCommit(c.oid, 0, c.parents, [CommitFile(*f) for f in c.files], 0) for c in Objects(git).latest()]
    return Scene(
        repo=repository.id, root=git.root, git=git, boundary=boundary, now_us=now_us, salt=salt,
        cause=(moved or last) if cause is None else cause,
        changes=tuple(changes), commits=tuple(commits), companions=companions, shared=facts, again=again,
    )  # fmt: skip
