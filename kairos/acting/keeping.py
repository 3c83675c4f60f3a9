"""What is kept of a file besides its content and mode: its owner, its extended attributes with ACLs, its other names.

A file is usually replaced by a new one that takes its name, which is atomic. A file with several names (hard links), or
one whose owner or attributes cannot be given to a new file, is rewritten in place. A kill in the middle leaves a
mixture of the two contents that only such a rewrite can leave; recovery recognizes it and completes it.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import stat
from collections.abc import Callable, Sequence

from kairos.domain.amounts import listed
from kairos.domain.inert import shown

PIECE = 64 * 1024
"""So many bytes are rewritten at a time."""
_PAGE = 512
_EXCHANGE = 2
_UNSUPPORTED = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
_OF_CONTENT = frozenset({"security.ima", "security.evm"})
"""Attributes that the system derives from the content."""


def give_attributes(source: int, target: int) -> bool:
    """Gives the new file `target` the owner, the group and the extended attributes (ACLs among them) of `source`.
    Returns False if some cannot be given: then the file must be rewritten in place. Both are descriptors."""
    old, new = os.fstat(source), os.fstat(target)
    try:
        if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
            os.fchown(target, old.st_uid if old.st_uid != new.st_uid else -1, old.st_gid)
        wanted, there = attributes(source), attributes(target)
        for name in there.keys() - wanted.keys():  # inherited from the directory
            os.removexattr(target, name)
        for name, value in wanted.items():
            if there.get(name) != value:
                os.setxattr(target, name, value)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM):
            raise
        return False
    return True


def attributes(file: int) -> dict[str, bytes]:
    """The extended attributes of an open file, without those that the system derives from its content."""
    try:
        names = os.listxattr(file)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return {}
        raise
    return {name: os.getxattr(file, name) for name in names if name not in _OF_CONTENT}


def give_mode(file: int, mode: int) -> None:
    """Sets the permission bits. Ignores a file system that has none of its own, unless the executable bit differs."""
    if stat.S_IMODE(os.fstat(file).st_mode) == mode:
        return
    try:
        os.fchmod(file, mode)
    except PermissionError:
        if bool(os.fstat(file).st_mode & 0o100) != bool(mode & 0o100):
            raise


def rewrite(file: int, content: bytes, mode: int, on_piece: Callable[[], None]) -> None:
    """Makes `content` the content of an open file, from its beginning, and syncs it. `on_piece` is called after each
    piece."""
    for start in range(0, len(content), PIECE):
        at = start
        while at < min(start + PIECE, len(content)):
            at += os.pwrite(file, content[at : start + PIECE], at)
        on_piece()
    os.ftruncate(file, len(content))
    give_mode(file, mode)
    os.fsync(file)


def swap(folder: int, one: str, two: str) -> bool:
    """Swaps two names in an open directory atomically (renameat2 with RENAME_EXCHANGE). False where that cannot be
    done. OSError if it fails."""
    rename = _renameat2()
    if rename is None:
        return False
    if rename(folder, os.fsencode(one), folder, os.fsencode(two), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP):
        return False
    raise OSError(number, os.strerror(number), two)


@functools.cache
def _renameat2() -> Callable[[int, bytes, int, bytes, int], int] | None:
    found = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if found is None:
        return None
    found.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    rename: Callable[[int, bytes, int, bytes, int], int] = found
    return rename


def is_torn(found: bytes, old: bytes, new: bytes) -> bool:
    """Whether a content can be what an interrupted rewrite of `old` by `new` left: every block is of one of the two,
    or of the new one up to a point. A power cut keeps any of the blocks."""
    if not min(len(old), len(new)) <= len(found) <= max(len(old), len(new)):
        return False
    blocks = (slice(at, at + _PAGE) for at in range(0, len(found), _PAGE))
    return all(_is_between(found[block], old[block], new[block]) for block in blocks)


def _is_between(found: bytes, old: bytes, new: bytes) -> bool:
    if found in (old[: len(found)], new[: len(found)]) or not found.strip(b"\0"):
        return True
    common = next((at for at, (one, two) in enumerate(zip(found, new, strict=False)) if one != two), len(new))
    return found[common:] == old[common : len(found)]


def note(links: Sequence[tuple[str, int]]) -> str:
    """What a person should know before files with several names are changed, as text. `links`: their paths, and how
    many names each has."""
    linked = [f"{shown(path)} has {count} names" for path, count in links if count > 1]
    if not linked:
        return ""
    return f"{listed(linked)} (hard links): rewritten in place, so every name shows the change"
