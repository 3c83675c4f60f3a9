"""Reads the trees of past commits from git's objects, without a work tree and without a process a commit.

```
PastTree ──► diff-tree --stdin    what differs between two commits; applied to the entries of the last one
         └─► BlobReader
              ├─► cat-file --batch-check    is it there, and how large is it
              └─► cat-file --batch          its content, if it is not too large
```
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import IO, NamedTuple

from kairos.repo.beneath import TEXT_LIMIT
from kairos.repo.byte_cache import ByteCache
from kairos.repo.git import Git, GitError

_AT_ONCE = 400
"""So many questions fit into a pipe while nobody reads the answers."""
REGULAR = frozenset({"100644", "100755"})
LINK = "120000"
_NONE = frozenset({"", "0" * 40, "0" * 64})


class TreeEntry(NamedTuple):
    """What a tree holds at a path: the mode as git writes it (`100644`) and the object id."""

    mode: str
    oid: str


class TreeChange(NamedTuple):
    """One path that differs between two trees; None where a tree has nothing there."""

    path: str
    before: TreeEntry | None
    after: TreeEntry | None


class _Asked:
    """A git process that answers one question after another."""

    def __init__(self, git: Git, *args: str) -> None:
        self._git = git
        self._args = args
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, line: bytes) -> IO[bytes]:
        """Sends a line and returns the stream on which the answer comes. GitError if the process ended."""
        if self._process is None:
            self._process = self._git.open(*self._args)
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            if line:
                self._process.stdin.write(line)
                self._process.stdin.flush()
        except OSError as error:
            raise GitError(f"git {self._args[0]} ended before it answered") from error
        return self._process.stdout

    def lost(self) -> GitError:
        """The error for an answer that was cut off."""
        return GitError(f"git {self._args[0]} ended before it answered")

    def close(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.communicate()


class BlobReader:
    """The content of blobs, asked for one at a time. Close it: it holds two processes."""

    def __init__(self, git: Git) -> None:
        self._check = _Asked(git, "cat-file", "--batch-check")
        self._batch = _Asked(git, "cat-file", "--batch")
        self._cache = ByteCache[str, bytes](len)

    def size(self, name: str) -> int | None:
        """The size in bytes of a blob, by its id or a revision such as `<commit>:<path>`. None for anything else."""
        if "\n" in name or "\0" in name:
            return None
        answer = self._check.ask(os.fsencode(name) + b"\n").readline()
        if not answer:
            raise self._check.lost()
        return _blob_size(answer)

    def read(self, name: str, limit: int = TEXT_LIMIT) -> bytes | None:
        """The content of a blob of at most `limit` bytes, None for anything else."""
        if name in self._cache:
            return self._cache[name]
        size = self.size(name)
        data = None
        if size is not None and size <= limit:
            self._batch.ask(os.fsencode(name) + b"\n")
            data = self._answer()
        return self._cache.keep(name, data)

    def fetch(self, oids: Iterable[str], limit: int = TEXT_LIMIT) -> None:
        """Reads many blobs ahead, by their ids, with two questions for all of them."""
        wanted = [oid for oid in dict.fromkeys(oids) if oid not in self._cache]
        for first in range(0, len(wanted), _AT_ONCE):
            part = wanted[first : first + _AT_ONCE]
            stream = self._check.ask(b"".join(oid.encode("ascii") + b"\n" for oid in part))
            sizes = [_blob_size(stream.readline()) for _ in part]
            fitting = [o for o, size in zip(part, sizes, strict=True) if size is not None and size <= limit]
            if fitting:
                self._batch.ask(b"".join(oid.encode("ascii") + b"\n" for oid in fitting))
            for oid in fitting:
                self._cache.keep(oid, self._answer())

    def close(self) -> None:
        self._check.close()
        self._batch.close()

    def _answer(self) -> bytes:
        """The next content that the asked process writes."""
        stream = self._batch.ask(b"")
        header = stream.readline().split()
        if len(header) != 3 or not header[2].isdigit():
            raise self._batch.lost()
        length = int(header[2])
        data = stream.read(length + 1)
        if len(data) != length + 1:
            raise self._batch.lost()
        return data[:-1]


class PastTree:
    """The tree of one commit at a time. Moving to a near commit costs what differs. Close it."""

    def __init__(self, git: Git) -> None:
        self.git = git
        self.blobs = BlobReader(git)
        self.commit = ""
        self.entries: dict[str, TreeEntry] = {}
        self._differ = _Asked(
            git, "diff-tree", "--stdin", "-r", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-commit-id", "--root"
        )

    def move(self, commit: str) -> list[TreeChange]:
        """Moves to a commit and returns what differs from the tree before. GitError."""
        if not self.commit:
            out = self.git.run("ls-tree", "-r", "-z", "--full-tree", commit)
            self.entries = dict(_listed(out))
            found = [TreeChange(path, None, entry) for path, entry in self.entries.items()]
        else:
            found = self.between(self.commit, commit) if commit != self.commit else []
            for path, _, after in found:
                if after is None:
                    self.entries.pop(path, None)
                else:
                    self.entries[path] = after
        self.commit = commit
        self.__dict__.pop("directories", None)
        return found

    def between(self, before: str, after: str) -> list[TreeChange]:
        """What differs between the trees of two commits. GitError."""
        end = f"end {secrets.token_hex(16)}\n".encode()
        stream = self._differ.ask(f"{after} {before}\n".encode() + end)
        out = bytearray()
        while not out.endswith(end):
            line = stream.readline()
            if not line:
                raise self._differ.lost()
            out += line
        return list(_changes(bytes(out[: -len(end)])))

    @cached_property
    def directories(self) -> frozenset[str]:
        """Every directory of the tree; the root is the empty string."""
        found = {""}
        for path in self.entries:
            parent = path.rpartition("/")[0]
            while parent not in found:
                found.add(parent)
                parent = parent.rpartition("/")[0]
        return frozenset(found)

    def exists(self, path: str) -> bool:
        """Whether the tree has a file, a link or a directory at a path."""
        return path in self.entries or path in self.directories

    def close(self) -> None:
        self.blobs.close()
        self._differ.close()


def _blob_size(answer: bytes) -> int | None:
    *_, kind, size = [b"", *answer.rstrip(b"\n").split(b" ")]
    return int(size) if kind == b"blob" and size.isdigit() else None


def _listed(out: bytes) -> Iterator[tuple[str, TreeEntry]]:
    for record in out.split(b"\0"):
        head, _, path = record.partition(b"\t")
        if path:
            mode, _, oid = head.decode("ascii").split()
            yield os.fsdecode(path), TreeEntry(mode, oid)


def _changes(out: bytes) -> Iterator[TreeChange]:
    """Parses git's raw format with -z: `:modes oids status`, then the path."""
    fields = iter(out.split(b"\0"))
    for head in fields:
        at = head.find(b":")
        if at < 0:
            continue
        modes = head[at + 1 :].decode("ascii", "replace").split()
        path = os.fsdecode(next(fields, b""))
        if len(modes) >= 4 and path:
            yield TreeChange(path, _entry(modes[0], modes[2]), _entry(modes[1], modes[3]))


def _entry(mode: str, oid: str) -> TreeEntry | None:
    return None if oid in _NONE else TreeEntry(mode, oid)
