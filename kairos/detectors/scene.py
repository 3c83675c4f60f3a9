"""The input of a detector: the trigger, and the repository, which is read lazily, with bounds and as untrusted data."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from kairos.clock import now_us
from kairos.detectors.boundaries import WHOLE
from kairos.domain.events import CommitRecorded, FilesChanged, GitMoved
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.repositories import Repository
from kairos.repo.beneath import Content, Unreadable, as_text, read_beneath
from kairos.repo.byte_cache import ByteCache
from kairos.repo.git import Git
from kairos.repo.objects import BlobChange, Objects
from kairos.repo.rules import attribute, covered
from kairos.repo.search import files_naming, files_with_lines, lines_naming

UNTRACKED_LIMIT = 20_000
SETTLE_NS = 100_000_000
"""A file that was changed so short a while before it was read may be half written."""
_LISTED_LIMIT = 500


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
    """A commit of the trigger, the position of the event that recorded it (0: not from the log), and its committer time
    (s; 0 if that was not asked for)."""

    oid: str
    position: int
    parents: Sequence[str]
    changes: Sequence[CommitFile]
    cut: int
    at_s: int = 0


class Facts:
    """The state of a repository in git and the work tree at one moment: read once and shared by all its scenes.

    Detectors see a tree only through this class, so that another one can show them a tree of the past (`past.py`)."""

    def __init__(self, git: Git) -> None:
        self.git = git
        self.root = git.root
        self._texts = ByteCache[str, Content](lambda content: len(content.data))
        self._old = ByteCache[tuple[str, str], str](len)
        self.unsettled: set[str] = set()
        """Files that were being written when they were read, or a moment before."""

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
                found = read_beneath(self.root, path)
            except (Unreadable, ValueError):
                return self._texts.keep(path, None)
            if found.torn or 0 <= now_us() * 1_000 - found.changed_ns < SETTLE_NS:
                self.unsettled.add(path)
            return self._texts.keep(path, found)
        return self._texts[path]

    def text(self, path: str) -> str | None:
        """The text of a regular file of at most 1 MiB, None unless it is UTF-8 text."""
        content = self.read(path)
        return None if content is None else as_text(content.data)

    def exists(self, path: str) -> bool:
        """Whether anything exists at `path`, including a dangling symlink."""
        return os.path.lexists(self.root / path)

    def size(self, path: str) -> int:
        """The size in bytes of a regular file; 0 for anything else, and for one that was removed meanwhile."""
        try:
            found = os.lstat(self.root / path)
        except OSError:
            return 0
        return found.st_size if stat.S_ISREG(found.st_mode) else 0

    def listed(self, directory: str) -> list[tuple[int, str, bool]]:
        """(depth, name, is a directory) of what is in a directory and in the directories in it, at most 500 entries."""
        found: list[tuple[int, str, bool]] = []
        waiting = [(self.root / directory, 0)]
        while waiting and len(found) < _LISTED_LIMIT:
            here, depth = waiting.pop(0)
            try:
                with os.scandir(here) as entries:
                    for entry in entries:
                        is_directory = entry.is_dir(follow_symlinks=False)
                        found.append((depth, entry.name, is_directory))
                        if is_directory and depth < 1:
                            waiting.append((Path(entry.path), depth + 1))
                        if len(found) >= _LISTED_LIMIT:
                            break
            except OSError:
                continue  # removed or unreadable meanwhile: it gives no sign
        return found

    @cached_property
    def links(self) -> Sequence[str]:
        """The tracked symbolic links."""
        out = self.git.run("ls-files", "-z", "--stage")
        return [os.fsdecode(r.partition(b"\t")[2]) for r in out.split(b"\0") if r.startswith(b"120000 ")]

    def target(self, link: str) -> str | None:
        """Where a symbolic link leads, as it is written; None if it is none now."""
        try:
            return str((self.root / link).readlink())
        except OSError:
            return None

    def leads(self, link: str) -> bool:
        """Whether a symbolic link leads to something that exists."""
        return (self.root / link).exists()

    def naming(self, needles: Sequence[str], pathspecs: Sequence[str] = (), *, words: bool = True) -> list[str]:
        """The tracked text files that contain one of the fixed strings (see `search.files_naming`)."""
        return files_naming(self.git, needles, pathspecs, words=words)

    def with_lines(self, starts: Sequence[str]) -> list[str]:
        """The tracked text files that have, for each of `starts`, a line that begins with it."""
        return files_with_lines(self.git, starts)

    def lines_naming(
        self, needles: Sequence[str], per_file: int, pathspecs: Sequence[str] = ()
    ) -> list[tuple[str, int, str]]:
        """(path, line, text) of the first lines of each tracked text file that contain one of the fixed strings as
        whole words."""
        return lines_naming(self.git, needles, per_file, pathspecs)

    def ignored(self, paths: Sequence[str]) -> dict[str, str]:
        """Those of these paths that a rule of git's ignore files covers, tracked or not, with the rule; a rule that
        begins with `!` keeps its path."""
        return covered(self.git, paths)

    def attribute(self, name: str, paths: Sequence[str]) -> dict[str, str]:
        """The value of a git attribute for each of these paths that has one."""
        return attribute(self.git, name, paths)

    def commit(self) -> str | None:
        """The commit that this is the tree of, None before the first one."""
        return self.git.head()

    def has_head(self) -> bool:
        """Whether HEAD is a commit."""
        return self.git.head() is not None

    def introduced(self, oids: Sequence[str]) -> list[BlobChange]:
        """The regular files that these commits changed relative to every parent."""
        return self.objects.introduced(oids)

    def blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """The content of blobs, within bounds (see `Objects.blobs`)."""
        return self.objects.blobs(oids)

    def text_in(self, commit: str, path: str) -> str | None:
        """The text of a file in a commit, None unless it is UTF-8 text of at most 1 MiB."""
        if (commit, path) not in self._old:
            try:
                data = self.objects.path_in(commit, path)
            except Unreadable:
                data = None
            return self._old.keep((commit, path), None if data is None else as_text(data))
        return self._old[commit, path]


@dataclass(frozen=True)
class Scene:
    """A repository at one boundary. `cause`: position of the trigger, 0 when there is none (a baseline). `salt`
    prevents guessing a secret value from a key that depends on it. `again`: this is a second look at the evidence of a
    finding that is known, to see what has become of it; `about`: the words of that finding, which name its paths;
    `apart`: keys of what others are about, which is not looked for."""

    repo: str
    root: Path
    git: Git
    boundary: str
    now_us: int
    salt: bytes
    cause: int = 0
    changes: Sequence[SeenChange] = ()
    commits: Sequence[SeenCommit] = ()
    again: bool = False
    about: str = ""
    apart: frozenset[str] = frozenset()
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
        return self.facts.exists(path)

    def position_of(self, oid: str) -> int:
        """The position of the event that recorded a commit of the trigger; `cause` for any other commit."""
        return next((c.position for c in self.commits if c.oid == oid and c.position), self.cause)


def scene_of(
    repository: Repository,
    git: Git,
    trigger: Sequence[Recorded],
    boundary: str,
    now_us: int,
    *,
    salt: bytes,
    cause: int | None = None,
    facts: Facts | None = None,
    again: bool = False,
    about: str = "",
    apart: Collection[str] = (),
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
                commits.append(SeenCommit(event.oid, recorded.position, event.parents, files, event.cut, event.at_s))
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
        changes=tuple(changes), commits=tuple(commits), shared=facts, again=again, about=about,
        apart=frozenset(apart),
    )  # fmt: skip
