"""Hint watches inside git's directories: where HEAD, the index, refs and reflogs change. Never in `objects`."""

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
        """Whether a dirty directory is git's."""
        return any(path == root or path.startswith(root + b"/") for root in self._roots)

    def differs(self, dir: bytes) -> bool:
        """Whether a directory of git was written to since the last call: for one that cannot be watched. git writes a
        ref or the index beside the old one and renames it."""
        found = signature(Path(os.fsdecode(dir)))
        before, self._polled[dir] = self._polled.get(dir), found
        return found != before

    def cover_all(self) -> None:
        """Watches every directory there is that tells news."""
        self._watch(self._fixed())
        self._watch(dir for root in self._roots for tree in _TREES for dir in _below(root + b"/" + tree))

    def cover_lost(self) -> list[bytes]:
        """The directories of git that are there but not watched: they came (back) to their place by a rename."""
        lost = [
            root for root in self._hints.missing(list(self._roots)) if stat.S_ISDIR(mode_of(Path(os.fsdecode(root))))
        ]
        if lost:
            self.cover_all()
        return lost

    def cover(self, dirty: Iterable[bytes]) -> None:
        """Watches what came to be in dirty directories."""
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
    """A directory and those below it; links are not followed."""
    return [dir for dir, _, _ in os.walk(top)]
