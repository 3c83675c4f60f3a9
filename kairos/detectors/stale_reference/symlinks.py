"""Finds tracked symbolic links that no longer lead to a file since it was moved, and the command that mends each."""

from __future__ import annotations

import posixpath
import shlex
from typing import NamedTuple

from kairos.detectors.scene import Scene
from kairos.detectors.stale_reference.moves import Moves
from kairos.domain.inert import shown

_MOST = 2_000


class Dangling(NamedTuple):
    """A link, its present target, and the target that it should have; None if the file was deleted."""

    link: str
    target: str
    wanted: str | None

    @property
    def command(self) -> str:
        """The command that mends the link, for a POSIX shell at the root; "" if no text can safely show it."""
        if self.wanted is None or not (self.wanted + self.link).isprintable():
            return ""
        return f"ln -sfn -- {shlex.quote(self.wanted)} {shlex.quote(self.link)}"


def dangling_links(scene: Scene, moves: Moves) -> list[Dangling]:
    """The tracked links that led to a moved or deleted file (or through a moved directory) and lead nowhere now."""
    found = []
    for link in scene.facts.links[:_MOST]:
        target = scene.facts.target(link)
        if target is None or target.startswith("/") or scene.facts.leads(link):
            continue
        old = posixpath.normpath(posixpath.join(posixpath.dirname(moves.former(link)), target))
        if not (moves.was(old) or old in moves.directories_before) or old in ("", "."):
            continue
        new = moves.moved.get(old) or moves.directories.get(old) or (None if old in moves.gone else old)
        if new is not None and new not in moves.now and new not in moves.directories_now:
            new = None
        wanted = None if new is None else posixpath.relpath(new, posixpath.dirname(link) or ".")
        if wanted != target:
            found.append(Dangling(link, target, wanted))
    return found


def described(links: list[Dangling]) -> str:
    """One line a link, with its command where there is one."""
    lines = []
    for link in links:
        command = link.command
        remedy = f": {command}" if command else ", which was deleted" if link.wanted is None else ""
        lines.append(f"  {shown(link.link)} leads to {shown(link.target)}{remedy}")
    return "\n".join(lines)
