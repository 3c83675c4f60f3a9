"""Rooms under Kairos's scratch directory: one a run, held by a lock, removed when left, swept after a crash."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

from kairos import _native
from kairos.privacy import make_private

_PREFIX = "run-"


class ScratchRoom:
    """A directory of one run. The lock on it tells a sweep that its owner lives."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    def prepare(self) -> None:
        """Makes the places where the launcher builds the new root and, if on disk, keeps the changes."""
        for name in ("stage", "layers"):
            (self.path / name).mkdir(exist_ok=True)

    def leave(self) -> None:
        """Removes the room. Harmless when repeated."""
        if self._lock >= 0:
            lock, self._lock = self._lock, -1
            try:
                _native.remove_tree(os.fsencode(self.path))
            finally:
                os.close(lock)

    def __enter__(self) -> ScratchRoom:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


def take_room(scratch_home: Path) -> ScratchRoom:
    """A new, locked room; what earlier owners left when they were killed goes first. Raises OSError, as on a full
    disk."""
    make_private(scratch_home)
    sweep(scratch_home)
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=scratch_home.resolve()))
        try:
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_nlink > 0:
                return ScratchRoom(path, lock)
        except OSError:
            os.close(lock)
            raise
        # Another's sweep came between making it and locking it.
        os.close(lock)


def sweep(scratch_home: Path) -> int:
    """Removes the rooms whose owner died without leaving; returns how many."""
    if not scratch_home.is_dir():
        return 0
    swept = 0
    for path in scratch_home.iterdir():
        if not path.name.startswith(_PREFIX) or path.is_symlink() or not path.is_dir():
            continue
        try:
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            _native.remove_tree(os.fsencode(path))
            swept += 1
        finally:
            os.close(lock)
    return swept
