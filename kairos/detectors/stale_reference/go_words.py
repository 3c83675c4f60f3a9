"""Finds the import paths of Go packages that stand as whole words in build files, scripts and configuration."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from kairos.detectors.stale_reference.destinations import STAYS, Followed
from kairos.detectors.stale_reference.go_packages import follow_import
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects

_NEWEST = re.compile(r"@(?:latest|main|master|trunk|HEAD|upgrade)?")
"""A version that has the new path one day. Any other one has the old path for ever."""
_VARIABLE = re.compile(r"(?P<package>.*/[\w~+-]+)\.[A-Za-z_]\w*")
"""A name in a package, as `-X example.com/m/build.Version=1` sets one."""
_CUT = re.compile(r"/?(?:\.\.\.)?\Z")


def find_words(
    text: str, start: int, end: int, moves: Moves, projects: Projects
) -> Iterator[tuple[int, int, Followed]]:
    """(start, end, new form) of the import paths and the paths behind a module's name that stand as whole words in
    start..end, and of which something became."""
    pattern = projects.go_words
    if not moves.go_packages_moved or pattern is None:
        return
    for m in pattern.finditer(text, start, end):
        word = m[0] if m[0].endswith("/...") else m[0].rstrip(".")
        followed = follow_word(word, moves, projects)
        if followed is not STAYS:
            yield m.start(), m.start() + len(word), followed


def follow_word(word: str, moves: Moves, projects: Projects) -> Followed:
    """What became of a word that starts with the name of a module of the tree: the path of a package, maybe with what
    is below it (`/...`), a version or the name of a variable; or of a file or directory."""
    name, mark, version = word.partition("@")
    tail = (_CUT.search(name) or [""])[0]
    name = name[: len(name) - len(tail)]
    followed = _follow(name, moves, projects)
    if followed is STAYS and (variable := _VARIABLE.fullmatch(name)):
        name, tail = variable["package"], name[len(variable["package"]) :] + tail
        followed = follow_import(name, moves, projects)
    if followed.new == "":
        return STAYS if tail or mark else followed
    if followed.new is None:
        return followed
    if mark and not _NEWEST.fullmatch(mark + version):
        return Followed(None, f"`@{version}` is a version that may have the old path")
    return followed._replace(new=followed.new + tail + mark + version)


def _follow(name: str, moves: Moves, projects: Projects) -> Followed:
    followed = follow_import(name, moves, projects)
    if followed is not STAYS:
        return followed
    for module, root in projects.go_modules:
        if name.startswith(module + "/"):
            old = posixpath.join(root, name[len(module) + 1 :])
            new = moves.moved.get(old) if old.endswith(".go") else moves.directories.get(old)
            if new is None or (root and not new.startswith(root + "/")):
                return STAYS if new is None else Followed(None, f"{new} belongs to another module")
            return Followed(f"{module}/{new[len(root) + 1 if root else 0 :]}", "", new)
    return STAYS
