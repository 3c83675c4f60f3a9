"""Notices at once that git's objects were damaged: watches those that HEAD needs first, its commit and its root tree.

The other directories of `objects` are not watched, because each commit writes into many of them.
"""

from __future__ import annotations

import os
from pathlib import Path

from kairos.repo.git import QUICK_S, Git, GitError
from kairos.sensing.hints import Hints
from kairos.sensing.ignoring import Signature, signature


class HeadObjects:
    """The files that hold the commit and the root tree of HEAD: two loose objects, or else some of the packs."""

    def __init__(self, common: Path, hints: Hints) -> None:
        """`common`: the git directory that all work trees share."""
        self._objects = common / "objects"
        self._hints = hints
        self._head: str | None = None
        self._files: list[Path] = []
        self._dirs: set[bytes] = set()
        self._seen: tuple[tuple[str, Signature], ...] = ()

    def holds(self, path: bytes) -> bool:
        """Whether a dirty directory is one of git's objects."""
        objects = os.fsencode(self._objects)
        return path == objects or path.startswith(objects + b"/")

    def follow(self, git: Git, head: str | None) -> None:
        """Watches the objects of the commit `head`, if it is another one than before or a watch is gone. What cannot be
        found out now is left to the sweep."""
        if head == self._head and not self._hints.missing(sorted(self._dirs)):
            return
        self._head = head
        self._files = [self._objects / oid[:2] / oid[2:] for oid in _needed(git, head)]
        dirs = [self._objects, self._objects / "pack", *(file.parent for file in self._files)]
        wanted = {os.fsencode(dir) for dir in dirs if dir.is_dir()} if head is not None else set()
        self._hints.drop(sorted(self._dirs - wanted))
        self._hints.confirm(self._hints.missing(sorted(wanted)))
        self._dirs = wanted
        self._seen = self._signatures()

    def differ(self) -> bool:
        """Whether these objects or the packs changed since the last call. git itself changes them when it packs."""
        before, self._seen = self._seen, self._signatures()
        return self._seen != before

    def _signatures(self) -> tuple[tuple[str, Signature], ...]:
        try:
            packs = sorted((self._objects / "pack").iterdir())
        except OSError:
            packs = []
        files = [*self._files, *(path for path in packs if path.suffix in (".pack", ".idx"))]
        return tuple((str(file), signature(file)) for file in files)


def _needed(git: Git, head: str | None) -> list[str]:
    """The ids of a commit and its tree."""
    if head is None:
        return []
    try:
        tree = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{head}^{{tree}}", timeout=QUICK_S)
    except GitError:
        return [head]
    return [head, tree.decode("ascii").strip()]
