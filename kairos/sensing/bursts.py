"""Converts differences to changes, and changes to FilesChanged events. Pure: ids are passed in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from kairos.domain.events import Change, FilesChanged, Name, name_fields
from kairos.eventlog.record import NewEvent, Origin
from kairos.sensing.listings import Difference, Stat

PART = 1_000


class Label(NamedTuple):
    """The origin of a change; each label becomes one FilesChanged burst. `position`: the event that caused it, if it is
    in the log already."""

    origin: Origin
    cause: Literal["git"] | None = None
    position: int | None = None


def changes_of(differences: Sequence[Difference]) -> list[Change]:
    """Converts differences to changes, sorted bytewise by path.

    A removed path and an added path are one move if type, inode, size and mtime_ns are equal. For a directory, type and
    inode must be equal, and either mtime_ns too or one entry (same name and identity) that moved with it: its stored
    mtime may be out of date, and the inode alone is no proof because file systems reuse inode numbers at once."""
    gone: dict[tuple[object, ...], Difference] = {}
    left: dict[bytes, set[tuple[object, ...]]] = {}
    came: dict[bytes, set[tuple[object, ...]]] = {}
    for d in differences:
        dir, _, name = d.path.rpartition(b"/")
        if d.old is not None and d.new is None:
            gone.setdefault(_identity(d.old), d)
            left.setdefault(dir, set()).add((name, *_identity(d.old)))
        elif d.old is None and d.new is not None:
            came.setdefault(dir, set()).add((name, *_identity(d.new)))
    moved: set[bytes] = set()
    found: list[tuple[bytes, Change]] = []
    for d in differences:
        if d.new is None:
            continue
        was = gone.get(_identity(d.new)) if d.old is None else None
        if was is not None and d.new.type == "dir" and (was.old is None or was.old.mtime_ns != d.new.mtime_ns):
            took = left.get(was.path, set()) & came.get(d.path, set())
            was = was if took else None
        if was is not None:
            moved.add(was.path)
            del gone[_identity(d.new)]
        found.append((d.path, _change(d, d.new, was)))
    for d in differences:
        if d.old is not None and d.new is None and d.path not in moved:
            name_of = name_fields(os.fsdecode(d.path))
            found.append((d.path, Change(**name_of, kind="deleted", type=_type(d.old))))  # type: ignore[arg-type]
    return [change for _, change in sorted(found, key=lambda pair: pair[0])]


def events_of(
    repo: str, groups: Mapping[Label, Sequence[Difference]], new_id: Callable[[], str], before: int
) -> list[NewEvent]:
    """The events of each group, in parts of at most PART changes. `before`: how many events precede these in the same
    append; the first of them is the GitMoved that causes git's changes if their label has no position."""
    out: list[NewEvent] = []
    for label, differences in groups.items():
        changes = changes_of(differences)
        if not changes:
            continue
        burst = new_id()
        parts = -(-len(changes) // PART)
        for part in range(parts):
            event = FilesChanged(
                repo=repo, burst=burst, part=part + 1, parts=parts, cause=label.cause,
                changes=changes[part * PART : (part + 1) * PART],
            )  # fmt: skip
            cause = label.position
            if label.cause == "git" and cause is None:
                cause = -(before + len(out))
            out.append(NewEvent(repo, event, cause, label.origin))
    return out


def _identity(stat: Stat) -> tuple[object, ...]:
    if stat.type == "dir":
        return ("dir", stat.ino)
    return (stat.type, stat.ino, stat.size, stat.mtime_ns)


def _type(stat: Stat | None) -> Literal["file", "dir", "symlink"]:
    kind = stat.type if stat is not None else "file"
    return "dir" if kind == "dir" else "symlink" if kind == "symlink" else "file"


def _change(d: Difference, new: Stat, was: Difference | None) -> Change:
    is_dir = new.type == "dir"
    return Change(
        **name_fields(os.fsdecode(d.path)),
        kind="moved" if was is not None else "created" if d.old is None else "modified",
        type=_type(new),
        was=Name(**name_fields(os.fsdecode(was.path))) if was is not None else None,
        size=None if is_dir else new.size,
        mode=new.mode,
        mtime_ns=None if is_dir else new.mtime_ns,
    )
