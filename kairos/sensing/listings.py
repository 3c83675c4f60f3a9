"""Compares the tree as last recorded in the log with the disk, one directory at a time.

The stored listings are rows of the view `tree/<repository>`. Each delta covers one directory: its differences and the
row that updates the view. Deltas are independent: any subset may be appended, and the events in the log still add up
to the stored rows.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

from kairos._native import Scanner, Watcher, diff_listings, give_back_memory, unpack_listing
from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop, Put, Write

_END = b"\xff" * 4097
"""Greater than every path: no name in a listing has so many bytes."""


class Stat(NamedTuple):
    """The lstat result of an entry. `type`: file | dir | symlink; `mode` is st_mode & 0o7777; times in ns."""

    type: str
    mode: int
    ino: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Difference(NamedTuple):
    """One path relative to the root, before (None: absent) and after."""

    path: bytes
    old: Stat | None
    new: Stat | None


class Delta(NamedTuple):
    """The differences in one directory, and the row to write in the same append. `rows`: change in the number of known
    directories (1, 0 or -1)."""

    dir: bytes
    differences: list[Difference]
    write: Write
    rows: int


class Swept(NamedTuple):
    """A part of a sweep: the directories compared, those whose stored listing no longer holds, how many ignored
    directories were seen, and where to go on (None: at the end)."""

    dirs: list[bytes]
    differing: set[bytes]
    ignored: int
    rest: bytes | None


class Hinting(Protocol):
    """The part of the hint source that the tree uses."""

    @property
    def watcher(self) -> Watcher | None: ...
    def missing(self, dirs: list[bytes]) -> list[bytes]: ...
    def confirm(self, dirs: list[bytes]) -> list[bytes]: ...


class Unwatched:
    """A hint source that watches nothing, for the baseline."""

    watcher: Watcher | None = None

    def missing(self, dirs: list[bytes]) -> list[bytes]:
        return []

    def confirm(self, dirs: list[bytes]) -> list[bytes]:
        return []


def tree_view(repo: str) -> str:
    """The name of the view that holds a repository's listings: directory → packed listing."""
    return f"tree/{repo}"


def absolute(root: bytes, dir: bytes) -> bytes:
    """The absolute path of a directory relative to the root (empty: the root itself)."""
    return root + b"/" + dir if dir else root


class TreeOnDisk:
    """A repository's tree on disk and its stored listings. Only reads; the caller appends."""

    def __init__(
        self,
        log: Log,
        repo: str,
        root: Path,
        *,
        excluded: Iterable[Path] = (),
        info_dir: Path | None = None,
        excludes_file: Path | None = None,
        hints: Hinting | None = None,
    ) -> None:
        self.view = tree_view(repo)
        self.ignored = 0
        self._log = log
        self._root = os.fsencode(root)
        self._hints: Hinting = hints or Unwatched()
        self._scanner = Scanner(
            self._root,
            excluded=[os.fsencode(path) for path in excluded],
            git_dir=os.fsencode(info_dir) if info_dir else None,
            excludes_file=os.fsencode(excludes_file) if excludes_file else None,
        )

    def set_tracked(self, paths: list[bytes]) -> None:
        """Sets the tracked paths (those in the index), which are listed even when an ignore rule matches them."""
        self._scanner.set_tracked(paths)

    def names(self, dir: bytes) -> set[bytes]:
        """The names in a directory now; empty if it does not exist."""
        listing = self._scanner.list_dir(dir)
        return set() if listing is None else {row[0] for row in unpack_listing(listing)}

    @property
    def root(self) -> bytes:
        """The absolute path of the tree."""
        return self._root

    def begin_sweep(self) -> None:
        """Call it before the first `sweep` of a pass over the whole tree."""
        self._scanner.begin_sweep()

    def sweep(self, first: bytes, limit: int) -> Swept:
        """Compares the stored listings of at most `limit` directories from `first` on with the disk."""
        rows = self._log.view_rows(self.view, first, _END, limit)
        differing, ignored = self._scanner.sweep(rows)
        rest = rows[-1][0] + b"\0" if len(rows) == limit else None
        return Swept([dir for dir, _ in rows], set(differing), ignored, rest)

    def end_sweep(self) -> None:
        """Call it after the last `sweep` of a pass, in place of `rest` after a full comparison."""
        self._scanner.end_sweep()
        self.rest()

    def known(self) -> int:
        """How many directories the stored listings cover."""
        return self._log.view_size(self.view)

    def entries(self) -> int:
        """How many paths the stored listings hold."""
        return sum(len(unpack_listing(listing)) for listing in self._log.view(self.view).values())

    def compare(self, dirs: Collection[bytes], *, everything: bool = False) -> Comparison:
        """Compares these directories, and the further ones that their differences point to."""
        comparison = Comparison(self._log, self.view, self._root, self._scanner, self._hints)
        if everything:
            self.ignored = comparison.all()
        else:
            for dir in sorted(dirs):
                comparison.visit(dir)
            comparison.follow_links()
        return comparison

    def rest(self) -> None:
        """Returns to the system the memory that a full comparison used."""
        give_back_memory()


class Comparison:
    """One pass over dirty directories. `deltas` by directory; `late`: directories that were watched only after they
    were read and must be compared again."""

    def __init__(self, log: Log, view: str, root: bytes, scanner: Scanner, hints: Hinting) -> None:
        self.deltas: dict[bytes, Delta] = {}
        self.late: set[bytes] = set()
        self._log = log
        self._view = view
        self._root = root
        self._scanner = scanner
        self._hints = hints
        self._seen: set[bytes] = set()
        self._changed: set[int] = set()
        self._came: set[int] = set()

    def all(self) -> int:
        """Compares the whole tree; returns how many ignored directories it skipped."""
        return self._subtree(b"", self._log.view(self._view))

    def visit(self, dir: bytes) -> None:
        """Compares one directory. If it is new or removed, compares its parent, where the difference shows."""
        if dir in self._seen:
            return
        self._seen.add(dir)
        old = self._log.view_row(self._view, dir)
        new = self._scanner.list_dir(dir)
        if dir and (old is None or new is None):
            self._seen.discard(dir)
            self.visit(dir.rpartition(b"/")[0])
            if dir not in self._seen and (old is not None or self._is_told(dir)):
                self._subtree(dir)
            return
        if old is None or new is None:
            self._subtree(dir)
            return
        differences = self._note(dir, old, new)
        if any(d.path.rpartition(b"/")[2] == b".gitignore" for d in differences):
            self._subtree(dir)
            return
        for difference in differences:
            if any(stat is not None and stat.type == "dir" for stat in (difference.old, difference.new)):
                self._subtree(difference.path)
        children = [absolute(self._root, child) for child in _children(dir, new)]
        for missing in self._hints.missing(children):
            self._subtree(missing[len(self._root) + 1 :])

    def follow_links(self) -> None:
        """Compares the directories that hold other hard links to changed files, because they received no hint."""
        for dir in self._other_names():
            self.visit(dir)
        while self._changed:
            inos, self._changed = sorted(self._changed), set()
            for dir in self._scanner.holding(inos):
                self.visit(dir)

    def _other_names(self) -> list[bytes]:
        """The directories whose stored listing holds a file that has gained a second hard link in another directory."""
        if not self._scanner.holding(sorted(self._came)):
            return []
        held = {ino: self._scanner.holding([ino]) for ino in self._came}
        new = {ino for ino, dirs in held.items() if dirs and self._seen.issuperset(dirs)}
        stored = self._log.view(self._view).items() if new else ()
        return [dir for dir, listing in stored if any(row[3] in new for row in unpack_listing(listing))]

    def _is_told(self, dir: bytes) -> bool:
        """Whether the parent's listing, as it will be stored, holds this directory, whose own comparison was
        deferred."""
        parent = dir.rpartition(b"/")[0]
        delta = self.deltas.get(parent)
        row = delta.write.value if delta and isinstance(delta.write, Put) else self._log.view_row(self._view, parent)
        return row is not None and dir in _children(parent, row)

    def _subtree(self, start: bytes, stored: dict[bytes, bytes] | None = None) -> int:
        """Compares everything at and below `start`, watching directories as it walks; returns how many it ignored."""
        listings, ignored, _ = self._scanner.walk(start, watcher=self._hints.watcher)
        found = dict(listings)
        old = self._below(start) if stored is None else stored
        for dir in sorted(old.keys() | found.keys()):
            if dir not in self._seen:
                self._seen.add(dir)
                self._note(dir, old.get(dir), found.get(dir))
        late = self._hints.confirm([absolute(self._root, dir) for dir in found])
        self.late.update(dir[len(self._root) + 1 :] for dir in late)
        return ignored

    def _note(self, dir: bytes, old: bytes | None, new: bytes | None) -> list[Difference]:
        prefix = dir + b"/" if dir else b""
        differences = [
            Difference(prefix + name, Stat(*before) if before else None, Stat(*after) if after else None)
            for name, before, after in diff_listings(old, new)
        ]
        self._changed.update(d.new.ino for d in differences if d.old and d.new and d.new.type == "file")
        self._came.update(d.new.ino for d in differences if d.old is None and d.new and d.new.type == "file")
        if new is None and old is not None:
            self.deltas[dir] = Delta(dir, differences, Drop(self._view, dir), -1)
        elif new is not None and (differences or old is None):
            self.deltas[dir] = Delta(dir, differences, Put(self._view, dir, new), int(old is None))
        return differences

    def _below(self, start: bytes) -> dict[bytes, bytes]:
        """The stored listings at and below a directory."""
        found: dict[bytes, bytes] = {}
        waiting = [start]
        while waiting:
            dir = waiting.pop()
            listing = self._log.view_row(self._view, dir)
            if listing is not None:
                found[dir] = listing
                waiting += _children(dir, listing)
        return found


def _children(dir: bytes, listing: bytes) -> list[bytes]:
    prefix = dir + b"/" if dir else b""
    return [prefix + row[0] for row in unpack_listing(listing) if row[1] == "dir"]
