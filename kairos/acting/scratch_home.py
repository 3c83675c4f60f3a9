"""Rooms under Kairos's scratch directory: one a run, held by a lock, removed when left, swept after a crash."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from kairos import _native
from kairos.durable import locked
from kairos.errors import TryAgain
from kairos.privacy import make_private

_PREFIX = "run-"


class ScratchRoom:
    """A directory of one run. The lock on it tells a sweep that its owner lives."""

    def __init__(self, path: Path, lock: ExitStack) -> None:
        self.path = path
        self._lock = lock
        self._left = False

    def prepare(self) -> None:
        """Makes the places where the launcher builds the new root and, if on disk, keeps the changes."""
        for name in ("stage", "layers"):
            (self.path / name).mkdir(exist_ok=True)

    def leave(self) -> None:
        """Removes the room. Harmless when repeated."""
        if not self._left:
            self._left = True
            with self._lock:
                _native.remove_tree(os.fsencode(self.path))

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
        with ExitStack() as lock:
            try:
                handle = lock.enter_context(locked(path, folder=True))
            except FileNotFoundError:
                continue  # another's sweep came between making it and opening it
            if os.fstat(handle).st_nlink > 0:  # or between opening and locking it
                return ScratchRoom(path, lock.pop_all())


def sweep(scratch_home: Path) -> int:
    """Removes the rooms whose owner died without leaving; returns how many."""
    if not scratch_home.is_dir():
        return 0
    swept = 0
    for path in scratch_home.iterdir():
        if not path.name.startswith(_PREFIX) or path.is_symlink() or not path.is_dir():
            continue
        with ExitStack() as lock:
            try:
                lock.enter_context(locked(path, _lives, folder=True))
            except (FileNotFoundError, TryAgain):
                continue  # it is gone, or its owner lives
            _native.remove_tree(os.fsencode(path))
            swept += 1
    return swept


def _lives() -> TryAgain:
    return TryAgain("the owner of this room lives")
