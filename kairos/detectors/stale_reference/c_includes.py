"""Resolves what C and C++ files include: beside the file, or below a directory on the include path."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from kairos.detectors.stale_reference.destinations import STAYS, Followed
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.resolving import SourceReference, above, between, joined

_SAFE = re.compile(r"[\w./@+~-]+")


def resolved(
    path: str, parts: list[SourceReference], text: str, moves: Moves, projects: Projects
) -> Iterator[tuple[int, int, Followed]]:
    """(start, end, new form) of every include."""
    includes = [part for part in parts if part.kind in ("include", "system")]
    roots = _roots_in_use(path, includes, moves)
    for part in includes:
        yield part.start, part.end, follow_include(path, part.value, part.kind == "include", moves, roots)


def follow_include(path: str, name: str, beside: bool, moves: Moves, roots: frozenset[str]) -> Followed:
    """What became of an included path. `beside`: it is in quotes, so that the directory of the file comes first.

    The include path is known only from what it explains: `roots` are the directories below which the file includes
    something. A header that moved to another of them stays as it is written."""
    before, here = posixpath.dirname(moves.former(path)), posixpath.dirname(path)
    old = joined(before, name) if beside else None
    if old is not None and moves.was(old):
        return _from_file(name, old, here, moves, roots)
    found = [(root, file) for root, file in _below_roots(name, moves) if moves.was(file)]
    if not found:
        return STAYS
    stale = [(root, file) for root, file in found if moves.is_stale(file)]
    if not stale or any(moves.was(file) and not moves.is_stale(file) for _, file in found):
        return STAYS
    if len(stale) > 1:
        return Followed(None, f"`{name}` could mean several files")
    return _from_root(name, *stale[0], moves, roots)


def _from_file(name: str, old: str, here: str, moves: Moves, roots: frozenset[str]) -> Followed:
    target = moves.moved.get(old, old)
    now = joined(here, name)
    if now is not None and now in moves.now:
        return STAYS if now == target else Followed(None, f"`{name}` now means {now}")
    if old in moves.gone:
        return Followed("")
    if any(posixpath.normpath(posixpath.join(root, name)) == target for root in roots):
        return STAYS
    kept = name.removesuffix(posixpath.basename(old)) + posixpath.basename(target)
    public = next((root for root in roots if _is_public(root) and posixpath.join(root, name) == old), None)
    if public is not None and target.startswith(public + "/") and here != public:
        # What was named from the root of the public headers still is.
        new = target[len(public) + 1 :]
    else:
        new = kept if joined(here, kept) == target else between(target, here)
    if new.startswith("../") and not name.startswith("../"):
        # A house that includes from a root writes no way up.
        root = max((r for r in roots if r and target.startswith(r + "/")), key=len, default=None)
        if root is not None:
            new = target[len(root) + 1 :]
        elif roots:
            return Followed(None, f"whether {target} is to be included by a root is not certain")
    if name.startswith("./") and not new.startswith("../"):
        new = f"./{new}"
    return Followed(new, "", target) if _SAFE.fullmatch(new) else Followed(None, "the new name is unusual")


def _from_root(name: str, root: str, old: str, moves: Moves, roots: frozenset[str]) -> Followed:
    if old in moves.gone:
        return Followed("")
    target = moves.moved[old]
    if any(posixpath.normpath(posixpath.join(r, name)) == target for r in roots):
        return STAYS
    base = moves.directories.get(root, root)
    if base and not target.startswith(base + "/"):
        # The house names it from another root of the file, that of its public headers first.
        over = [
            r
            for r in sorted(roots - {root}, key=len)
            if r in moves.directories_now and f"{target}/".startswith(f"{r}/")
        ]
        base = next((r for r in over if _is_public(r)), over[-1] if over else base)
    if base and not target.startswith(base + "/"):
        return Followed(None, f"{target} is no longer below {root}")
    new = target[len(base) + 1 if base else 0 :]
    if new == name:
        return STAYS
    return Followed(new, "", target) if _SAFE.fullmatch(new) else Followed(None, "the new name is unusual")


def _roots_in_use(path: str, includes: list[SourceReference], moves: Moves) -> frozenset[str]:
    """The directories, other than the file's own, below which the file includes something that did not move, and the
    directories of public headers that it stood in. What came there by the move tells nothing of the include path."""
    before, here = posixpath.dirname(moves.former(path)), posixpath.dirname(path)
    found = {root for root in above(before) if _is_public(root)}
    for part in includes:
        own = joined(before, part.value)
        if part.kind == "include" and own is not None and moves.was(own):
            continue
        candidates = [
            (root, file)
            for root, file in _below_roots(part.value, moves)
            if moves.was(file) and not moves.is_stale(file)
        ]
        if len(candidates) == 1:
            found.add(candidates[0][0])
    return frozenset(found - {here})


def _is_public(directory: str) -> bool:
    """Whether a directory is on the include path by its name."""
    return posixpath.basename(directory) == "include"


def _below_roots(name: str, moves: Moves) -> list[tuple[str, str]]:
    """(root, path) of each file, before or now, whose path ends in an included one."""
    if name.startswith(("../", "./", "/")):
        return []
    ending = f"/{name}"
    paths = moves.by_name.get(posixpath.basename(name), ())
    return [(p[: -len(ending)], p) for p in paths if f"/{p}".endswith(ending)]
