"""The Java types of moved files: their packages before the move and now, as the files and their directories say."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from kairos.detectors.stale_reference.moves import Moves

_JAVA = ".java"
_INFO = ("package-info", "module-info")
_ROOT = re.compile(r"(?:^|.*?/)(?:src/\w+/java|src/java|java|src)(?:/(.*))?$")
"""What stands behind the directory that holds the packages of a usual layout."""


class MovedType(NamedTuple):
    """The type that a moved file is called by. `new_package`: None if it is not certain; `gone`: it was deleted."""

    old: str
    package: str
    name: str
    new_package: str | None
    new_name: str
    gone: bool = False

    @property
    def full(self) -> str:
        return f"{self.package}.{self.name}" if self.package else self.name

    @property
    def new_full(self) -> str:
        return f"{self.new_package}.{self.new_name}" if self.new_package else self.new_name


class JavaMoves:
    """The moved types of a tree. `package_of`: what a file says that its package is."""

    def __init__(self, moves: Moves, package_of: Callable[[str], str]) -> None:
        self.moves = moves
        self._package_of = package_of
        self.by_old: dict[str, MovedType] = {}
        """Every moved file, also those that hold no type, by its old path."""
        for old, new in moves.moved.items():
            if old.endswith(_JAVA) and new.endswith(_JAVA):
                package, now = self._packages(old, new)
                if package is not None:
                    self.by_old[old] = MovedType(old, package, _stem(old), now, _stem(new))
        gone = (old for old in sorted(moves.gone) if old.endswith(_JAVA) and _stem(old) not in _INFO)
        deleted = [(old, self._settled(posixpath.dirname(old)) or _by_layout(posixpath.dirname(old))) for old in gone]
        types = [t for t in self.by_old.values() if t.name not in _INFO]
        types += [MovedType(old, p, _stem(old), None, "", gone=True) for old, p in deleted if p]
        self.by_full = self._certain(t for t in types if t.package)
        self.by_name: dict[str, list[MovedType]] = {}
        for one in types:
            if not one.gone:
                self.by_name.setdefault(one.name, []).append(one)

    def _certain(self, types: Iterable[MovedType]) -> dict[str, MovedType]:
        """The types by their full names, without those whose name is not one's own: of two modules one has moved and
        the other not, or elsewhere."""
        found: dict[str, set[MovedType]] = {}
        for one in types:
            found.setdefault(one.full, set()).add(one)
        ends = {f"/{name.replace('.', '/')}{_JAVA}": name for name in found}
        lengths = {end.count("/") for end in ends}
        for path in (p for p in self.moves.now - {*self.moves.moved.values()} if p.endswith(_JAVA)):
            parts = f"/{path}".split("/")
            for n in lengths:
                found.pop(ends.get("/" + "/".join(parts[-n:]), ""), None)
        single = {name: [*some] for name, some in found.items()}
        return {name: some[0] for name, some in single.items() if len({(t.new_full, t.gone) for t in some}) == 1}

    def named(self, name: str) -> MovedType | None:
        """The moved type that a dotted name or its first words are."""
        at = len(name)
        while at > 0:
            if (found := self.by_full.get(name[:at])) is not None:
                return found
            at = name.rfind(".", 0, at)
        return None

    @cached_property
    def whole(self) -> dict[str, str]:
        """Packages of which every file moved into one package, old name → new name."""
        news: dict[str, set[str | None]] = {}
        for one in self.by_full.values():
            news.setdefault(one.package, set()).add(one.new_package)
        left = {directory for directory, suffix in self.moves.sources_now if suffix == _JAVA}
        return {
            old: now
            for old, (now, *more) in ((old, tuple(new)) for old, new in news.items())
            if now and not more and not any(f"/{d}".endswith("/" + old.replace(".", "/")) for d in left)
        }

    def _settled(self, directory: str) -> str:
        """The package of the files that stood in a directory before; "" if there is none."""
        return next((p for f in self.moves.settled(directory, _JAVA) if (p := self._package_of(f))), "")

    def _packages(self, old: str, new: str) -> tuple[str | None, str | None]:
        """The package of a file before and now; None if it is not certain. What the file says is the one or the other,
        whichever its directory ends with."""
        was, here = posixpath.dirname(old), posixpath.dirname(new)
        stated = self._package_of(new)
        before = next((p for p in self._befores(was, here, stated) if p), None)
        if before is None:
            return None, None
        now = self._settled(here) or (stated if _ends(here, stated) else "")
        root = was[: len(was) - len(before)].rstrip("/") if _ends(was, before) else None
        if not now and root is not None and f"{here}/".startswith(f"{root}/" if root else ""):
            now = here[len(root) :].strip("/").replace("/", ".")
        return before, now or _by_layout(here) or None

    def _befores(self, was: str, here: str, stated: str) -> Iterator[str]:
        if _ends(was, stated):
            yield stated
        yield self._settled(was)
        if _ends(here, stated):
            root = here[: len(here) - len(stated)]
            yield was[len(root) :].replace("/", ".") if was.startswith(root) else ""
        yield _by_layout(was)


def _stem(path: str) -> str:
    return posixpath.basename(path).removesuffix(_JAVA)


def _ends(directory: str, package: str) -> bool:
    return bool(package) and f"/{directory}".endswith("/" + package.replace(".", "/"))


def _by_layout(directory: str) -> str:
    """The package that a directory is by the usual layout; "" if it is none."""
    found = _ROOT.match(directory)
    return (found[1] or "").replace("/", ".") if found else ""
