"""Hashes files of a watched tree: regular files only, without following symlinks, up to a size limit."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import Literal

from kairos.sensing.listings import absolute
from kairos.sensing.provenance import PathState

MAX_BYTES = 64 * 1024 * 1024
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_BLOCK = 1 << 18


def sha_of(root: bytes, path: bytes, seen: PathState) -> str | Literal["moved"] | None:
    """SHA-256 (hex) of a file below the root if it still matches `seen`; `moved` if it does not; None if it cannot be
    read or is larger than MAX_BYTES."""
    return _hash(root, path, seen, hashlib.sha256())


def blob_of(root: bytes, path: bytes, seen: PathState, oid_length: int) -> str | None:
    """git's object id of a file's content as it is on disk (no filters), None if it cannot be determined."""
    hasher = hashlib.sha1(usedforsecurity=False) if oid_length == 40 else hashlib.sha256()
    hasher.update(b"blob %d\0" % seen.size)
    found = _hash(root, path, seen, hasher)
    return None if found == "moved" else found


def _hash(root: bytes, path: bytes, seen: PathState, hasher: hashlib._Hash) -> str | Literal["moved"] | None:
    try:
        fd = os.open(absolute(root, path), _FLAGS)
    except FileNotFoundError:
        return "moved"
    except OSError:
        return None
    try:
        found = os.fstat(fd)
        now = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if not stat.S_ISREG(found.st_mode) or now != (seen.ino, seen.size, seen.mtime_ns, seen.ctime_ns):
            return "moved"
        if found.st_size > MAX_BYTES:
            return None
        while block := os.read(fd, _BLOCK):
            hasher.update(block)
        after = os.fstat(fd)
    finally:
        os.close(fd)
    if (after.st_size, after.st_mtime_ns, after.st_ctime_ns) != now[1:]:
        return "moved"
    return hasher.hexdigest()


def read_small(path: bytes, limit: int = 4096) -> bytes | None:
    """The first bytes of a regular file, None if there is no such file or it cannot be read."""
    return _tail(path, limit, from_end=False)


def read_tail(path: bytes, limit: int = 1 << 16) -> bytes | None:
    """The last bytes of a regular file, None if there is no such file or it cannot be read."""
    return _tail(path, limit, from_end=True)


def read_end(path: bytes, limit: int = 1 << 16) -> tuple[bytes, int] | None:
    """(the last bytes of a regular file, the size of the whole), None if there is no such file or it cannot be read."""
    return _part(path, limit, from_end=True)


def _tail(path: bytes, limit: int, *, from_end: bool) -> bytes | None:
    found = _part(path, limit, from_end=from_end)
    return None if found is None else found[0]


def _part(path: bytes, limit: int, *, from_end: bool) -> tuple[bytes, int] | None:
    try:
        fd = os.open(path, _FLAGS)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(fd).st_mode):  # checked before creating a file object, which fails for a directory
        os.close(fd)
        return None
    with os.fdopen(fd, "rb") as file:
        size = os.fstat(fd).st_size
        if from_end and size > limit:
            file.seek(size - limit)
            raw = file.read(limit)
            return raw, size - limit + len(raw)
        raw = file.read(limit)
        return raw, len(raw)
