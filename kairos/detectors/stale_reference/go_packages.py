"""Resolves Go's import paths to the directories of packages, and spells them anew when a package moved."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from kairos.detectors.stale_reference.destinations import STAYS, Followed
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.resolving import SourceReference


def resolved(
    path: str, parts: list[SourceReference], text: str, moves: Moves, projects: Projects
) -> Iterator[tuple[int, int, Followed]]:
    """(start, end, new form) of every import path."""
    for part in parts:
        if part.kind == "import":
            yield part.start, part.end, follow_import(part.value, moves, projects)


def follow_import(name: str, moves: Moves, projects: Projects) -> Followed:
    """What became of an import path. It follows only a package whose files all moved into one directory of a module."""
    directory = _directory(name, projects)
    if directory is None or directory in moves.go_packages_now or directory not in moves.go_packages_moved:
        return STAYS
    news = moves.go_packages_moved[directory]
    if not news:
        return Followed("")
    if len(news) > 1:
        return Followed(None, "its package was divided")
    new = next(iter(news))
    for module, root in projects.go_modules:
        if not root or new == root or new.startswith(root + "/"):
            rest = new[len(root) + 1 if root else 0 :]
            return Followed(f"{module}/{rest}" if rest else module, "", new)
    return Followed(None, f"{new} belongs to no module")


def _directory(name: str, projects: Projects) -> str | None:
    """The directory of a package, if it belongs to a module of the tree."""
    for module, root in projects.go_modules:
        if name == module or name.startswith(module + "/"):
            return posixpath.normpath(posixpath.join(root, name[len(module) + 1 :])).removeprefix(".").lstrip("/")
    return None
