"""Lists the tracked files that still name an old path in a place that no search looked at."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kairos.detectors.maintained import kept_by_hand
from kairos.detectors.scene import Scene
from kairos.detectors.stale_reference.modules import dotted, prefix_of
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.references import Found
from kairos.domain.amounts import count
from kairos.domain.inert import shown
from kairos.repo.search import only_in

_NEEDLES, _PER_FILE, _MOST = 100, 5, 400


class Mention(NamedTuple):
    """A line (1-based) that contains an old path."""

    path: str
    line: int
    old: str


def mentions(scene: Scene, moves: Moves, found: Mapping[str, Found], named: Sequence[str]) -> list[Mention]:
    """The lines that name an old path as a whole and that are not among those found, in files kept by hand. `named`:
    the files that contain its name."""
    olds = [name for old in moves.stale for name in _written(old) if "\n" not in name and "\r" not in name][:_NEEDLES]
    if not olds or not named:
        return []
    listed: list[Mention] = []
    for path, line, text in scene.facts.lines_naming(olds, _PER_FILE, only_in(named) or ())[:_MOST]:
        old = next((o for o in olds if _names(text, o)), None)
        known = found.get(path)
        seen = known is not None and (
            line - 1 in known.lines | known.dead or any(line - 1 == n for n, _ in known.doubts)
        )
        if old is not None and not seen and kept_by_hand(path) and path not in moves.moved.values():
            listed.append(Mention(path, line, old))
    return listed


def _written(old: str) -> list[str]:
    """How a line may name an old path: as a path and, of a module in a package, by its dotted name."""
    prefix = prefix_of(old.removeprefix("src/")) if old.endswith(".py") else ""
    name = dotted(prefix) if "/" in prefix else None
    return [old] if name is None else [old, name]


def _names(text: str, old: str) -> bool:
    """Whether a line contains a path that is not a part of a longer one."""
    at = text.find(old)
    while at >= 0:
        before, after = text[at - 1 : at] if at else "", text[at + len(old) : at + len(old) + 1]
        if (
            before not in ("/", "-", ".", "_")
            and not before.isalnum()
            and after not in ("/", "-", "_")
            and not after.isalnum()
        ):
            return True
        at = text.find(old, at + 1)
    return False


def unread(listed: Sequence[Mention], most: int = 5) -> list[str]:
    """What a card says of the mentions: the places and why each was not looked at."""
    out = []
    for mention in listed[:most]:
        suffix = posixpath.splitext(mention.path)[1]
        kind = (
            "prose or a code block"
            if suffix in (".md", ".mdx", ".markdown", ".rst", ".txt", ".adoc")
            else "a comment, a string or a language that is not read"
        )
        out.append(f"{shown(mention.path)}:{mention.line} names {shown(mention.old)}: {kind}, which was not checked")
    if (more := len(listed) - most) > 0:
        one, many = "more line names an old path and was", "more lines name an old path and were"
        out.append(f"{count(more, one, many)} not checked")
    return out
