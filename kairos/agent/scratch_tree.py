"""The scratch tree of one turn: the files of a commit as a model may see them, and what the turn changed there.

Nothing of it is in the repository: a file of the commit is read from git's objects, a change is kept here. What the
reading tools withhold is not in it: private names, what git ignores, links. Of a text with a credential it holds the
redacted text, and such a file cannot be changed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from kairos.agent.repository_files import FILE_AT_MOST, Files, decoded, shown
from kairos.domain.amounts import count
from kairos.domain.inert import shown as inert
from kairos.domain.policy import unsafe_path
from kairos.domain.secrets import find, redact
from kairos.repo.beneath import Unreadable
from kairos.repo.objects import Objects

CHANGED_AT_MOST, BYTES_AT_MOST, KEPT_FILE = 2_000, 64 << 20, 16 << 20
"""What a turn may have changed: so many files, bytes of them together, and bytes of one that a command wrote."""
LAID_FILES, LAID_BYTES = 200_000, 512 << 20
"""How large the tree of a commit may be for a command to run on it."""
_MODES = {"100644": 0o644, "100755": 0o755}
_HELD = "it holds a credential: it is not changed here"
_AT_ONCE = 2_000
_IGNORE = ".gitignore"

File = tuple[bytes, int]
"""Content and permission bits (0o644 or 0o755)."""


class ListedFile(NamedTuple):
    """A path of the commit as git lists it."""

    mode: str
    oid: str
    size: int


class ScratchTree:
    """The files of a commit and what a turn changed. `changes`: path → the file, or None where it is removed."""

    def __init__(self, files: Files, commit: str) -> None:
        self.commit = commit
        self.changes: dict[str, File | None] = {}
        self._files = files
        self._objects = Objects(files.git)

    @property
    def digest(self) -> str:
        """A hash of the changes."""
        return digest_of(self.changes)

    def read(self, path: str) -> File | None:
        """A file as it is now, without credentials; None if there is none. Raises Unreadable."""
        self._check(path)
        if path in self.changes:
            return self.changes[path]
        return self.base(path)

    def base(self, path: str) -> File | None:
        """A file of the commit, without credentials; None if there is none. Raises Unreadable."""
        entry = self._entries.get(path)
        if entry is None:
            return None
        if entry.size > FILE_AT_MOST:
            raise Unreadable(f"it is larger than {FILE_AT_MOST // 1_000_000} MB")
        content = self._objects.blobs([entry.oid], each=FILE_AT_MOST).get(entry.oid)
        if content is None:
            raise Unreadable("git does not have its content here")
        clean = _clean(content)
        if clean is None:
            raise Unreadable("it holds a credential and is no text")
        return clean, _MODES[entry.mode]

    def text(self, path: str) -> str:
        """The text of a file as it is now, without credentials. Raises Unreadable."""
        file = self.read(path)
        if file is None:
            raise Unreadable("it is removed in the scratch tree")
        return redact(decoded(file[0]))

    def put(self, wanted: Mapping[str, File | None]) -> None:
        """Makes these changes, all or none. Raises Unreadable with the path."""
        after = dict(self.changes)
        for path, file in wanted.items():
            try:
                self._check_change(path, file)
            except Unreadable as why:
                raise Unreadable(f"{inert(path)}: {why}") from why
            if path in self._entries and file == self.base(path):
                after.pop(path, None)  # as it was
            else:
                _set(after, path, file, self._entries)
        self._check_ignored([path for path, file in wanted.items() if file is not None and path not in self._entries])
        self._check_places(after)
        _check_sizes(after)
        self.changes = after

    def take(self, changes: Iterable[tuple[str, File | None]]) -> list[str]:
        """Makes what a command left the changes, all of them; returns what is not taken and why, a sentence each."""
        after: dict[str, File | None] = {}
        not_taken = []
        given = dict(changes)
        blobs = self._objects.blobs((self._entries[p].oid for p in given if p in self._entries), each=KEPT_FILE)
        for path, file in given.items():
            try:
                self._check_path(path)
                if file is not None and len(file[0]) > KEPT_FILE:
                    raise Unreadable(f"it is larger than {KEPT_FILE >> 20} MiB")
                entry = self._entries.get(path)
                before = blobs.get(entry.oid) if entry is not None else None
                if entry is not None and file == (None if before is None else _clean(before), _MODES[entry.mode]):
                    continue
                if entry is not None and (before is None or _clean(before) != before):
                    raise Unreadable(_HELD)
                _set(after, path, file, self._entries)
            except Unreadable as why:
                not_taken.append(f"{inert(path)}: {why}")
        if len(after) > CHANGED_AT_MOST or _bytes_of(after) > BYTES_AT_MOST:
            ignored = self._files.ignored(list(after))
            kept = {path: file for path, file in after.items() if path not in ignored}
            not_taken.append(f"{count(len(after) - len(kept), 'file')} that git ignores: together they are too many")
            _check_sizes(kept)
            after = kept
        self.changes = after
        return not_taken

    def proposable(self) -> dict[str, File | None]:
        """The changes without what git ignores: by the repository's rules, or because a new directory says so of itself
        (`.pytest_cache` has a `.gitignore` with `*`)."""
        new = [path for path in self.changes if path not in self._entries]
        ignored = self._files.ignored(new)
        own = tuple(
            path.removesuffix(_IGNORE) for path in new
            if path.endswith(f"/{_IGNORE}") and b"*" in (self.changes[path] or (b"", 0))[0].split()
        )  # fmt: skip
        return {
            path: file for path, file in self.changes.items()
            if path not in ignored and not (path not in self._entries and path.startswith(own))
        }  # fmt: skip

    def laid(self) -> Iterator[tuple[str, bytes, int]]:
        """Every file of the commit for a command to run on: path, content, permission bits. Unreadable if there are too
        many."""
        wanted = {p: e for p, e in self._entries.items() if e.mode in _MODES and shown(p)}
        if len(wanted) > LAID_FILES or sum(e.size for e in wanted.values()) > LAID_BYTES:
            raise Unreadable(
                f"the tree is too large for a scratch tree: more than {LAID_FILES} files or {LAID_BYTES >> 20} MiB"
            )
        paths = list(wanted)
        for first in range(0, len(paths), _AT_ONCE):
            yield from self._laid(paths[first : first + _AT_ONCE])

    def _laid(self, paths: list[str]) -> Iterator[tuple[str, bytes, int]]:
        left = paths
        while left:
            blobs = self._objects.blobs((self._entries[p].oid for p in left), each=LAID_BYTES)
            if not blobs:
                raise Unreadable(f"git does not have {inert(left[0])} here, or it is too large")
            for path in left:
                entry = self._entries[path]
                content = _clean(blobs[entry.oid]) if entry.oid in blobs else None
                if content is not None:
                    yield path, content, _MODES[entry.mode]
            left = [path for path in left if self._entries[path].oid not in blobs]

    @cached_property
    def _entries(self) -> dict[str, ListedFile]:
        """What the commit holds, submodules and links included."""
        out = self._files.git.run("ls-tree", "-r", "-z", "-l", "--full-tree", "--end-of-options", self.commit)
        found = {}
        for record in filter(None, out.split(b"\0")):
            fields, _, path = record.partition(b"\t")
            mode, _, oid, size = fields.decode("ascii").split()
            found[os.fsdecode(path)] = ListedFile(mode, oid, int(size) if size.isdigit() else 0)
        return found

    @cached_property
    def _folders(self) -> frozenset[str]:
        """The directories of the commit."""
        return frozenset(folder for path in self._entries for folder in _above(path))

    def _check(self, path: str) -> None:
        """Raises Unreadable for a path that may not be seen."""
        self._check_path(path)
        if path in self._folders:
            raise Unreadable("it is a directory")

    def _check_path(self, path: str) -> None:
        why = unsafe_path(path)
        if why:
            raise Unreadable(f"it {why}")
        if not shown(path):
            raise Unreadable("it is not shown (private)")
        for name in (path, *_above(path)):
            entry = self._entries.get(name)
            if entry is not None and entry.mode not in _MODES:
                raise Unreadable("it is a symbolic link or a submodule, or lies behind one")

    def _check_change(self, path: str, file: File | None) -> None:
        self._check(path)
        if file is not None and len(file[0]) > FILE_AT_MOST:
            raise Unreadable(f"it would be larger than {FILE_AT_MOST // 1_000_000} MB")
        if self._holds_credential(path):
            raise Unreadable(_HELD)
        if file is not None and find(_text(file[0])):
            raise Unreadable("the new text would carry a credential")
        before = self.read(path)
        if file is not None and file[0].count(b"[redacted ") > (before[0] if before else b"").count(b"[redacted "):
            raise Unreadable("the new text holds `[redacted …]`, which stands for a credential")

    def _check_places(self, after: Mapping[str, File | None]) -> None:
        """Raises Unreadable if a file would lie under another."""
        there = {path for path, file in after.items() if file is not None}
        for path in there:
            for folder in _above(path):
                if folder in there or (folder in self._entries and folder not in after):
                    raise Unreadable(f"{inert(path)}: {inert(folder)} is a file")

    def _check_ignored(self, paths: list[str]) -> None:
        for path in self._files.ignored(paths):
            raise Unreadable(f"{inert(path)}: git ignores it, so it cannot be proposed")

    def _holds_credential(self, path: str) -> bool:
        entry = self._entries.get(path)
        if entry is None:
            return False
        content = self._objects.blobs([entry.oid], each=KEPT_FILE).get(entry.oid)
        return content is None or _clean(content) != content


def digest_of(changes: Mapping[str, File | None]) -> str:
    """A hash of changes."""
    found = hashlib.sha256()
    for path, file in sorted(changes.items()):
        found.update(os.fsencode(path) + b"\0")
        found.update(b"-" if file is None else b"%o:%d:" % (file[1], len(file[0])) + file[0])
    return found.hexdigest()


def _set(changes: dict[str, File | None], path: str, file: File | None, entries: Mapping[str, ListedFile]) -> None:
    """One more change; a removed file that the commit does not have is none."""
    if file is None and path not in entries:
        changes.pop(path, None)
    else:
        changes[path] = file


def _above(path: str) -> list[str]:
    """The directories that a path lies in."""
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def _bytes_of(changes: Mapping[str, File | None]) -> int:
    return sum(len(file[0]) for file in changes.values() if file is not None)


def _check_sizes(changes: Mapping[str, File | None]) -> None:
    if len(changes) > CHANGED_AT_MOST or _bytes_of(changes) > BYTES_AT_MOST:
        raise Unreadable(
            f"a turn may change {CHANGED_AT_MOST} files and {BYTES_AT_MOST >> 20} MiB in its scratch tree, no more"
        )


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _clean(content: bytes) -> bytes | None:
    """The content without credentials; None for one with a credential that is no UTF-8 text."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None if find(decoded(content)) else content
    text = _text(content)
    clean = redact(text)
    if clean == text:
        return content
    return None if "\0" in text else clean.encode("utf-8", "surrogateescape")
