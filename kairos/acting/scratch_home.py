"""Rooms, the directories of single runs under Kairos's scratch directory.

Each room is locked by its owner and removed at the end of the run; rooms left by a crash are swept later."""

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
    """The directory of one run. Its lock shows a sweep that the owner is alive."""

    def __init__(self, path: Path, lock: ExitStack) -> None:
        self.path = path
        self._lock = lock
        self._left = False

    def prepare(self) -> None:
        """Makes the directories in which the launcher builds the new root and, if they are on disk, keeps changes."""
        for name in ("stage", "layers"):
            (self.path / name).mkdir(exist_ok=True)

    def leave(self) -> None:
        """Removes the room. Idempotent."""
        if not self._left:
            self._left = True
            with self._lock:
                _native.remove_tree(os.fsencode(self.path))

    def __enter__(self) -> ScratchRoom:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


def take_room(scratch_home: Path) -> ScratchRoom:
    """Returns a new, locked room, after removing the rooms of killed owners. Raises OSError, for example on a full
    disk."""
    make_private(scratch_home)
    sweep(scratch_home)
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=scratch_home.resolve()))
        with ExitStack() as lock:
            try:
                handle = lock.enter_context(locked(path, folder=True))
            except FileNotFoundError:
                continue  # swept by another process before it was opened
            if os.fstat(handle).st_nlink > 0:  # not swept before it was locked
                return ScratchRoom(path, lock.pop_all())


def sweep(scratch_home: Path) -> int:
    """Removes the rooms whose owner died without removing them; returns their number."""
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
                continue  # removed already, or its owner is alive
            _native.remove_tree(os.fsencode(path))
            swept += 1
    return swept


def _lives() -> TryAgain:
    return TryAgain("the owner of this scratch directory is running")
