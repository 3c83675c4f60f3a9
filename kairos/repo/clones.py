"""What a clone lacks: a partial clone some blobs or trees, a shallow one the history behind its boundary.

git would fetch what is missing; Kairos never does, and says what it could not read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from kairos.repo.git import QUICK_S, Git, GitError

MOST_FAILURES = 64
"""After so many unreadable objects of one batch, the rest of it is given up."""
_SHALLOW_BYTES = 16 << 20
_FALSE = frozenset({b"false", b"no", b"off", b"0", b""})
"""What git takes for false. Any other value counts as true, so that nothing is expected that may be missing."""
T = TypeVar("T")


class Clone(NamedTuple):
    """`partial`: objects may be missing that git would fetch. `boundary`: the commits whose parents are missing."""

    partial: bool = False
    boundary: frozenset[str] = frozenset()


RENAMES = "-M"
"""The option of git's diffs that finds renames. It compares contents, which a partial clone may lack."""
PLAIN_RENAMES = "-M100%"
"""Finds only renames of unchanged files, from trees alone."""


def clone_of(git: Git) -> Clone:
    """What a repository may lack. Raises GitError."""
    return Clone(is_partial(git), _boundary(git.common_dir() / "shallow"))


def is_partial(git: Git) -> bool:
    """Whether a repository is a partial clone, for which git fetches missing objects on demand."""
    pattern = r"^(remote\..*\.promisor|extensions\.partialclone)$"
    status, out = git.result("config", "-z", "--get-regexp", pattern, ok=(0, 1), timeout=QUICK_S)
    if status != 0:
        return False
    # the last value of a key is in force; one without a value is true
    entries = {key: value if given else b"true" for key, given, value in _entries(out)}
    return any(value.lower() not in _FALSE for value in entries.values())


def _entries(out: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    return (entry.partition(b"\n") for entry in out.split(b"\0") if entry)


def read_readable(oids: Sequence[str], read: Callable[[Sequence[str]], list[T]]) -> tuple[list[T], list[str]]:
    """(what `read` returns of these commits, in order; the commits that it cannot read). `read` raises GitError if one
    of several cannot be read; then it is called with fewer."""
    found: list[T] = []
    unread: list[str] = []
    waiting = [list(oids)] if oids else []
    while waiting:
        part = waiting.pop()
        if len(unread) >= MOST_FAILURES:
            unread += part
            continue
        try:
            found += read(part)
        except GitError:
            if len(part) == 1:
                unread += part
            else:
                half = len(part) // 2
                waiting += [part[half:], part[:half]]
    return found, unread


def _boundary(file: Path) -> frozenset[str]:
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return frozenset()
    with os.fdopen(fd, "rb") as opened:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return frozenset()
        return frozenset(opened.read(_SHALLOW_BYTES).decode("ascii", "replace").split())
