"""Reading files beneath a root that somebody else may be changing: no symlink is followed, nothing blocks.

Every component is opened relative to the one before it with O_NOFOLLOW, so that a path can never lead outside, not
even when a directory is swapped for a symlink in between. Pipes and devices are never read.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import NamedTuple

TEXT_LIMIT = 1 << 20
_TEST_BYTES = 8_000
_NOT_READABLE = frozenset({errno.ELOOP, errno.ENXIO, errno.ENAMETOOLONG, errno.ENODEV})
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Content(NamedTuple):
    """A regular file as read: its bytes and its mode (st_mode & 0o7777)."""

    data: bytes
    mode: int


def components(path: str) -> list[str]:
    """The components of a relative path. ValueError for one that is absolute, climbs or enters `.git`."""
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") or part.casefold() == ".git" for part in parts):
        raise ValueError(f"not a path inside a work tree: {path!r}")
    return parts


def read_beneath(root: Path, path: str, limit: int = TEXT_LIMIT) -> Content | None:
    """The regular file at `path` (relative to `root`), or None when there is none, a symlink is on the way, or it
    is larger than `limit` bytes. ValueError for a path that leaves the root; OSError when reading fails."""
    parts = components(path)
    try:
        directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        for part in parts[:-1]:
            inner = _open(part, _DIRECTORY, directory)
            if inner is None:
                return None
            os.close(directory)
            directory = inner
        file = _open(parts[-1], _FILE, directory)
    finally:
        os.close(directory)
    if file is None:
        return None
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
            return None
        data = _bytes(file, limit + 1)
        return Content(data, stat.S_IMODE(found.st_mode)) if len(data) <= limit else None
    finally:
        os.close(file)


def _bytes(file: int, limit: int) -> bytes:
    """At most `limit` bytes: the file may grow while it is read."""
    parts, left = [], limit
    while left > 0 and (part := os.read(file, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _open(name: str, flags: int, directory: int) -> int | None:
    """An open descriptor, None for what is not there, not a directory, a symlink, a socket or not readable."""
    try:
        return os.open(name, flags, dir_fd=directory)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except OSError as error:
        # ELOOP: a symlink; ENXIO: a socket or a device without a driver; ENAMETOOLONG: no such file can exist.
        if error.errno in _NOT_READABLE:
            return None
        raise


def is_text(data: bytes) -> bool:
    """Whether git would call it text: no NUL among the first bytes."""
    return b"\0" not in data[:_TEST_BYTES]


def as_text(data: bytes) -> str | None:
    """The text of UTF-8 content, None for binary or other encodings."""
    if not is_text(data):
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None
