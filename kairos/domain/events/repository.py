"""Facts about repositories: trust, the watched tree, refs, commits, and gaps in watching.

The stream of each is the repository's id (`repo-…`).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from kairos.domain.events.base import Event, FreeText, Name, register

EntryType = Literal["file", "dir", "symlink"]
ChangeKind = Literal["created", "modified", "deleted", "moved"]


class Change(Name, frozen=True, kw_only=True, omit_defaults=True):
    """One path that differs. `was` is the former path of a move; mode is st_mode & 0o7777; times in ns.

    size, mode and mtime_ns are those after the change (absent for `deleted`); `sha` is the SHA-256 of the content after
    it (hex), present only if it was read anyway."""

    kind: ChangeKind
    type: EntryType = "file"
    was: Name | None = None
    size: int | None = None
    mode: int | None = None
    mtime_ns: int | None = None
    sha: str | None = None


class RefMove(msgspec.Struct, frozen=True, kw_only=True):
    """A ref that moved: full name, old and new object id (None: absent before or after)."""

    name: FreeText
    old: str | None
    new: str | None


class CommitChange(Name, frozen=True, kw_only=True, omit_defaults=True):
    """One path of a commit: status A M D R C T as git's raw diff says, `was` for R and C."""

    status: str
    was: Name | None = None


class Activity(Name, frozen=True, kw_only=True, omit_defaults=True):
    """The folded observations of one path: the number of changes of each kind. `last` is its newest change and
    `position` its position; both are absent if a later event in the log names the path."""

    created: int = 0
    modified: int = 0
    deleted: int = 0
    moved: int = 0
    position: int | None = None
    last: Change | None = None


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """The number of folded changes with one origin."""

    origin: str
    changes: int


@register
class RepoTrusted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person registered the repository and trusts it to be watched. Binds to the directory (dev, ino); on a log
    shared by several machines also to the machine (`host`)."""

    repo: str
    root: str
    dev: int
    ino: int
    by: str
    host: str = ""


@register
class RepoUnwatched(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person withdrew the repository; its history stays."""

    repo: str
    root: str


@register
class BaselineRecorded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The baseline tree and the import of history are complete; live watching may build on them."""

    repo: str
    entries: int
    commits: int = 0


@register
class FilesChanged(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Part `part` of `parts` of one settled burst: at most 1 000 changes. Attention acts on the last part."""

    repo: str
    burst: str
    part: int
    parts: int
    changes: list[Change]
    cause: Literal["git"] | None = None


@register
class ActivityFolded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The summary of the observations of one day (UTC) that retention folded out of one segment: how many `events`
    between the positions `first` and `last` and between two times (us), and how many changes of each origin. Part
    `part` of `parts`: at most 2 000 paths, sorted bytewise; all other fields are the same in every part."""

    repo: str
    day: str
    first: int
    last: int
    from_us: int
    to_us: int
    events: int
    origins: list[Tally]
    part: int
    parts: int
    paths: list[Activity]


@register
class GitMoved(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The difference of two ref snapshots. `head` is the symbolic ref, or the object id when detached.

    `what`: commit amend checkout branch tag merge rebase stash fetch reset cherry-pick state worktree stage other (no
    ref moves when something is staged or unstaged). `ongoing`:
    a rebase has stopped midway or is still running; its end is recorded by an event without `ongoing`."""

    repo: str
    head: FreeText | None
    refs: list[RefMove]
    what: str
    previous_head: FreeText | None = None
    note: FreeText = ""
    ongoing: bool = False


@register
class CommitRecorded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A commit that was observed (live) or imported (origin history). `at_s` is its committer time."""

    repo: str
    oid: str
    parents: list[str]
    author: FreeText
    at_s: int
    subject: FreeText
    changes: list[CommitChange]
    cut: int = 0
    """How many changes were left out of a very large commit."""
    left_out: Literal["", "trees", "parents"] = ""
    """Why `changes` is empty though the commit may change files: the clone does not hold the trees, or the parents."""


@register
class WatchGap(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Notifications may have been lost between two times (us); a full rescan follows."""

    repo: str
    reason: str
    from_us: int
    to_us: int


@register
class RootLost(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The repository's directory is gone, renamed or replaced."""

    repo: str
    why: FreeText


@register
class RootFound(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The repository's directory is back; a full difference follows."""

    repo: str
