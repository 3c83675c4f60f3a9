"""The watched tree of a repository, folded from the log alone."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from kairos.domain.activity import words
from kairos.domain.events import ActivityFolded, Change, Event, FilesChanged
from kairos.domain.events.repository import EntryType
from kairos.eventlog.log import Log

TOPICS = frozenset({"FilesChanged", "ActivityFolded"})


class Entry(msgspec.Struct, frozen=True):
    """One path as last recorded. For directories size and mtime_ns are None; mode is st_mode & 0o7777."""

    type: EntryType
    size: int | None
    mode: int | None
    mtime_ns: int | None


class WatchedTree:
    """The newest entry of each path, by position in the log. A folded observation counts at its original position,
    not at that of the `ActivityFolded` event."""

    def __init__(self) -> None:
        self._told: dict[bytes, tuple[int, Entry | None]] = {}

    def apply(self, position: int, event: Event, upto: int | None = None) -> None:
        """Folds one event of TOPICS into the tree. Observations after position `upto` are ignored."""
        match event:
            case FilesChanged() if upto is None or position <= upto:
                for path, change in words(event):
                    self._tell(path, position, change)
            case ActivityFolded():
                for folded in event.paths:
                    stood = folded.position
                    if folded.last is not None and stood is not None and (upto is None or stood <= upto):
                        self._tell(os.fsencode(folded.fs), stood, folded.last)
            case _:
                pass

    def entries(self) -> dict[bytes, Entry]:
        """Every path that exists, with its entry."""
        return {path: entry for path, (_, entry) in self._told.items() if entry is not None}

    def _tell(self, path: bytes, position: int, change: Change | None) -> None:
        known = self._told.get(path)
        if known is None or known[0] <= position:
            self._told[path] = (position, _entry(change))


def _entry(change: Change | None) -> Entry | None:
    """The entry of a path after a change; None if the path was deleted."""
    if change is None or change.kind == "deleted":
        return None
    return Entry(change.type, change.size, change.mode, change.mtime_ns)


def fold_tree(log: Log, repo: str, *, upto: int | None = None) -> dict[bytes, Entry]:
    """Returns every path of a repository (relative, bytes) as of a position (default: the head).

    If older observations were folded away, only the surviving entries are returned."""
    tree = WatchedTree()
    for recorded in log.read(topics=TOPICS):
        if getattr(recorded.event, "repo", None) == repo:
            tree.apply(recorded.position, recorded.event, upto)
    return tree.entries()


def rows(tree: Mapping[bytes, Entry]) -> Iterator[dict[str, Any]]:
    """The tree as `kairos files` prints it, sorted bytewise: path (or path_b64 when it is not UTF-8), kind, size,
    mode, mtime_ns."""
    for path in sorted(tree):
        entry = tree[path]
        try:
            name = {"path": path.decode("utf-8")}
        except UnicodeDecodeError:
            name = {"path_b64": base64.b64encode(path).decode("ascii")}
        yield {**name, "kind": entry.type, "size": entry.size, "mode": entry.mode, "mtime_ns": entry.mtime_ns}
