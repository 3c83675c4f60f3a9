"""The watched tree of a repository, folded from the log alone."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from kairos.domain.events import FilesChanged
from kairos.domain.events.repository import EntryType
from kairos.eventlog.log import Log


class Entry(msgspec.Struct, frozen=True):
    """One path as last told. For directories size and mtime_ns are None; mode is st_mode & 0o7777."""

    type: EntryType
    size: int | None
    mode: int | None
    mtime_ns: int | None


def apply_changes(tree: dict[bytes, Entry], event: FilesChanged) -> None:
    """Folds one event into the tree, in place."""
    for change in event.changes:
        path = os.fsencode(change.fs)
        if change.kind == "deleted":
            tree.pop(path, None)
            continue
        if change.kind == "moved" and change.was is not None:
            tree.pop(os.fsencode(change.was.fs), None)
        tree[path] = Entry(change.type, change.size, change.mode, change.mtime_ns)


def fold_tree(log: Log, repo: str, *, upto: int | None = None) -> dict[bytes, Entry]:
    """Every path of a repository (relative, bytes) up to a position (default: all)."""
    tree: dict[bytes, Entry] = {}
    for recorded in log.read(topics={"FilesChanged"}, upto=upto):
        if isinstance(recorded.event, FilesChanged) and recorded.event.repo == repo:
            apply_changes(tree, recorded.event)
    return tree


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
