"""Resolves the names that Java imports to files, and spells imports and package clauses anew when a class moved."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from kairos.detectors.stale_reference.destinations import STAYS, Followed
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.resolving import SourceReference

_NAME = re.compile(r"[^\W\d][\w$]*(?:\.[^\W\d][\w$]*)*")


class MovedClass(NamedTuple):
    """A file of a class that moved: its packages before and now, None if that cannot be known."""

    old: str
    new: str
    package: str | None
    now: str | None


def resolved(
    path: str, parts: list[SourceReference], text: str, moves: Moves, projects: Projects
) -> Iterator[tuple[int, int, Followed]]:
    """(start, end, new form) of the package clause and of every import."""
    classes = _Classes(moves, projects)
    for part in parts:
        if part.kind == "package":
            yield part.start, part.end, classes.clause(path, part.value)
        elif part.kind == "import":
            star = text[part.end : part.end + 40].lstrip().startswith(".")
            yield part.start, part.end, classes.imported(part.value, star=star)


class _Classes:
    def __init__(self, moves: Moves, projects: Projects) -> None:
        self.moves = moves
        self.projects = projects

    def clause(self, path: str, written: str) -> Followed:
        """What the package clause of a moved file is to say: its directory below the root of its sources."""
        old = self.moves.former(path)
        if old == path:
            return STAYS
        moved = self._moved(old, path)
        if moved.package != written or moved.now == written:
            return STAYS
        if not moved.now:
            return Followed(None, f"what the package of {posixpath.dirname(path)} is called is not certain")
        return Followed(moved.now, "", path)

    def imported(self, written: str, *, star: bool) -> Followed:
        """What became of an imported class, of what is imported from it, or with a star of a whole package."""
        if not _NAME.fullmatch(written):
            return STAYS
        words = written.split(".")
        for length in range(len(words), 0, -1):
            name = ".".join(words[:length])
            if name in self._by_name:
                return self._renamed(self._by_name[name], words[length:])
        return self._whole(written) if star else STAYS

    def _renamed(self, moved: MovedClass, inner: list[str]) -> Followed:
        if posixpath.basename(moved.old) != posixpath.basename(moved.new):
            return Followed(None, f"the class in {moved.new} is called otherwise now")
        if not moved.now:
            return Followed(None, f"what the package of {posixpath.dirname(moved.new)} is called is not certain")
        name = ".".join([moved.now, posixpath.basename(moved.new)[:-5], *inner])
        return STAYS if moved.now == moved.package else Followed(name, "", moved.new)

    def _whole(self, package: str) -> Followed:
        """What became of a package. It follows only if all of its files moved into one."""
        known = [moved for moved in self._all if moved.package == package]
        ending = f"/{package.replace('.', '/')}"
        if not known or any(f"/{d}".endswith(ending) for d, suffix in self.moves.sources_now if suffix == ".java"):
            return STAYS
        news = {moved.now for moved in known}
        now = news.pop() if len(news) == 1 else None
        return Followed(now, "", known[0].new) if now else Followed(None, "its package was divided")

    @cached_property
    def _all(self) -> list[MovedClass]:
        return [self._moved(old, new) for old, new in sorted(self.moves.moved.items()) if old.endswith(".java")]

    @cached_property
    def _by_name(self) -> dict[str, MovedClass]:
        """The moved classes by their full names before, unless another file has that name now."""
        found = {}
        for moved in self._all:
            if moved.package:
                base = posixpath.basename(moved.old)
                ending = f"/{moved.package.replace('.', '/')}/{base}"
                if not any(f"/{p}".endswith(ending) for p in self.moves.by_name[base] if p in self.moves.now):
                    found[f"{moved.package}.{base[:-5]}"] = moved
        return found

    def _moved(self, old: str, new: str) -> MovedClass:
        """The packages of a moved file: its clause names the one before or, if it was changed, too, the one now."""
        was, now, clause = posixpath.dirname(old), posixpath.dirname(new), self.projects.java_package(new)
        before, after = _root(was, clause), _root(now, clause)
        if after is not None:
            return MovedClass(old, new, clause if before is not None else _below(was, after), clause)
        if before is None:
            return MovedClass(old, new, None, None)
        settled = {self.projects.java_package(path) for path in self.moves.settled(now, ".java")}
        name = settled.pop() if len(settled) == 1 else _below(now, before)
        return MovedClass(old, new, clause, name if name and _root(now, name) is not None else None)


def _root(directory: str, package: str) -> str | None:
    """The root of the sources, if a directory is that of a package."""
    ending = f"/{package.replace('.', '/')}"
    return f"/{directory}"[1 : -len(ending)] if package and f"/{directory}".endswith(ending) else None


def _below(directory: str, root: str) -> str | None:
    """The name of the package that a directory below a root has."""
    rest = directory.removeprefix(f"{root}/") if root else directory
    name = rest.replace("/", ".")
    return name if rest != directory or not root else None
