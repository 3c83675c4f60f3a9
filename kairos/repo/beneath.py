"""Reads files beneath a root that another process may be changing: follows no symlink and never blocks.

Every component is opened relative to the one before it with O_NOFOLLOW, so a path can never lead outside the root, even
if a directory is replaced by a symlink meanwhile. Pipes and devices are never read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

TEXT_LIMIT = 1 << 20
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_TEST_BYTES = 8_000
_READS = 3
_NOT_THERE = frozenset({
    errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM,
    errno.ELOOP,  # a symlink
    errno.ENXIO, errno.ENODEV,  # a socket, or a device without a driver
    errno.ENAMETOOLONG,  # no such file can exist
})  # fmt: skip


class Unreadable(Exception):
    """Content that cannot be read or is not allowed to be read; the message says why."""


class Content(NamedTuple):
    """A regular file as read: its bytes and its mode (st_mode & 0o7777); when it was changed last (ctime); whether it
    was changed while it was read, each time again (`torn`)."""

    data: bytes
    mode: int
    changed_ns: int = 0
    torn: bool = False


def components(path: str) -> list[str]:
    """The components of a relative path. ValueError if it is absolute, contains `..` or enters `.git`."""
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") or part.casefold() == ".git" for part in parts):
        raise ValueError(f"not a path inside a work tree: {path!r}")
    return parts


def descend(directory: int, parts: Sequence[str]) -> int:
    """A new descriptor of the directory at `parts` below the open `directory`, which stays open.

    OSError, with the component as its file name, if one is missing, not a directory or a symlink."""
    here = os.dup(directory)
    try:
        for part in parts:
            inner = os.open(part, DIRECTORY, dir_fd=here)
            os.close(here)
            here = inner
    except BaseException:
        os.close(here)
        raise
    return here


def read_beneath(root: Path, path: str, limit: int = TEXT_LIMIT) -> Content:
    """The regular file at `path` (relative to `root`).

    One that is written meanwhile is read again, a few times. Unreadable when there is none, a symlink is on the way, or
    it is larger than `limit` bytes; ValueError for a path that leaves the root; OSError when reading fails."""
    file = _open(root, components(path))
    try:
        after = os.fstat(file)
        if not stat.S_ISREG(after.st_mode):
            raise Unreadable("not a regular file")
        for _ in range(_READS):
            found = after
            os.lseek(file, 0, os.SEEK_SET)
            data = _bytes(file, limit + 1) if found.st_size <= limit else b""
            after = os.fstat(file)
            torn = _written(found) != _written(after)
            if not torn:
                break
    finally:
        os.close(file)
    if found.st_size > limit or len(data) > limit:
        raise Unreadable("too large to show")
    return Content(data, stat.S_IMODE(found.st_mode), after.st_ctime_ns, torn)


def _written(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _open(root: Path, parts: Sequence[str]) -> int:
    """A descriptor of the file to read. Unreadable if it is missing, a symlink, a socket or not permitted."""
    try:
        top = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from error
    try:
        folder = descend(top, parts[:-1])
        try:
            return os.open(parts[-1], FILE, dir_fd=folder)
        finally:
            os.close(folder)
    except OSError as error:
        if error.errno in _NOT_THERE:
            raise Unreadable(f"cannot be read: {error.strerror}") from error
        raise
    finally:
        os.close(top)


def _bytes(file: int, limit: int) -> bytes:
    """At most `limit` bytes: the file may grow while it is read."""
    parts, left = [], limit
    while left > 0 and (part := os.read(file, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def is_text(data: bytes) -> bool:
    """Whether git would treat the data as text: no NUL among the first bytes."""
    return b"\0" not in data[:_TEST_BYTES]


def as_text(data: bytes) -> str | None:
    """The text of UTF-8 content, None for binary or other encodings."""
    if not is_text(data):
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None
