"""Watches git's own directories for hints: those in which HEAD, the index, refs and reflogs change, not `objects`."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from kairos.repo.health import mode_of
from kairos.sensing.hints import Hints
from kairos.sensing.ignoring import Signature, signature

_TREES = (b"refs", b"reftable", b"worktrees")
_DIRS = (b"", b"info", b"logs")


class GitWatch:
    """Watches on one repository's git directory and, in a linked work tree, on the shared one."""

    def __init__(self, git_dir: Path, common: Path, hints: Hints) -> None:
        self._roots = tuple(dict.fromkeys(os.fsencode(path) for path in (git_dir, common)))
        self._hints = hints
        self._polled: dict[bytes, Signature] = {}

    def holds(self, path: bytes) -> bool:
        """Whether a dirty directory is one of git's."""
        return any(path == root or path.startswith(root + b"/") for root in self._roots)

    def differs(self, dir: bytes) -> bool:
        """Whether a directory of git changed since the last call; used for directories that cannot be watched. Looking
        at the directory is enough, because git writes a ref or the index to a new file and renames it."""
        found = signature(Path(os.fsdecode(dir)))
        before, self._polled[dir] = self._polled.get(dir), found
        return found != before

    def cover_all(self) -> None:
        """Watches every existing directory of git whose changes matter."""
        self._watch(self._fixed())
        self._watch(dir for root in self._roots for tree in _TREES for dir in _below(root + b"/" + tree))

    def cover_lost(self) -> list[bytes]:
        """Returns git's root directories that exist but were not watched, because a rename put them (back) in place.
        Watches everything again if there are any."""
        lost = [
            root for root in self._hints.missing(list(self._roots)) if stat.S_ISDIR(mode_of(Path(os.fsdecode(root))))
        ]
        if lost:
            self.cover_all()
        return lost

    def cover(self, dirty: Iterable[bytes]) -> None:
        """Watches directories that were created in dirty directories."""
        for path in dirty:
            if path in self._roots:
                self.cover_all()
            elif any(path.startswith(root + b"/" + tree) for root in self._roots for tree in _TREES):
                self._watch(_below(path))

    def _fixed(self) -> list[bytes]:
        return [root + b"/" + name if name else root for root in self._roots for name in _DIRS]

    def _watch(self, dirs: Iterable[bytes]) -> None:
        missing = self._hints.missing(list(dirs))
        if missing:
            self._hints.confirm(missing)


def _below(top: bytes) -> list[bytes]:
    """A directory and all directories below it; symlinks are not followed."""
    return [dir for dir, _, _ in os.walk(top)]
