"""Python module names of moved files as a given importer writes them, before and after the move."""

from __future__ import annotations

import keyword
import posixpath
import re
import sys
from collections.abc import Collection
from functools import cached_property, lru_cache
from typing import NamedTuple

from kairos.detectors.stale_reference.moves import Moves

_SOURCES = ("src", "lib", "python")
_INIT = "__init__.py"
_CHAIN = re.compile(r"(?<![\w.])([A-Za-z_]\w*+)((?:\.\w+)++)")


class Target(NamedTuple):
    """A module before the move: its path and the import root that its name was relative to."""

    path: str
    root: str


class Modules:
    """Resolves names in the tree before the moves. An import root is a directory on the module search path, guessed
    from the layout because no file in a repository states it reliably."""

    def __init__(self, moves: Moves) -> None:
        self.moves = moves
        self.roots = lru_cache(maxsize=4096)(self._roots)
        self._resolved = lru_cache(maxsize=65_536)(self._resolve)

    @cached_property
    def ends(self) -> frozenset[str]:
        """The last parts of the names of moved and deleted modules."""
        return frozenset(posixpath.basename(prefix) for prefix in self._stale_prefixes)

    @cached_property
    def quoted(self) -> re.Pattern[str]:
        """Matches the start of a string that may contain one of the names in `ends`."""
        names = "|".join(re.escape(end) for end in sorted(self.ends)) or r"(?!)"
        return re.compile(rf"[\"'](?:\w+\.)*?(?:{names})[\"'.:]")

    def _roots(self, directory: str) -> tuple[str, ...]:
        """Import roots for a file in `directory` (before the move), nearest first: the directories above it that are
        not packages, and src, lib and python below those."""
        found = []
        here = directory
        while True:
            if not self._was_package(here):
                found.append(here)
                found += [
                    inner
                    for inner in (posixpath.join(here, name) for name in _SOURCES)
                    if inner in self.moves.directories_before and not self._was_package(inner)
                ]
            if not here:
                return tuple(dict.fromkeys(found))
            here = posixpath.dirname(here)

    def _was_package(self, directory: str) -> bool:
        return bool(directory) and self.moves.was(f"{directory}/{_INIT}")

    def module_at(self, prefix: str) -> str | None:
        """The file of a module path without suffix, before the move."""
        return next((p for p in (f"{prefix}/{_INIT}", f"{prefix}.py") if prefix and self.moves.was(p)), None)

    def resolve(self, importer: str, name: str) -> list[Target]:
        """The modules that an absolute name could mean for `importer` (its former path). Several: ambiguous."""
        return self._resolved(posixpath.dirname(importer), name)

    def _resolve(self, directory: str, name: str) -> list[Target]:
        rest = name.replace(".", "/")
        found: dict[str, Target] = {}
        for root in self.roots(directory):
            path = self.module_at(posixpath.join(root, rest))
            if path is not None:
                found.setdefault(path, Target(path, root))
        return list(found.values())

    def shadowed(self, importer: str, name: str, target: Target) -> bool:
        """Whether the name means a standard library module instead, as it does unless `target` is beside the importer
        (a script)."""
        top = name.split(".", 1)[0]
        return top in sys.stdlib_module_names and target.root != posixpath.dirname(importer)

    def stale(self, importer: str, name: str) -> Target | None:
        """The moved or deleted module that an absolute name meant; None if it meant no such module or is ambiguous."""
        found = self.resolve(importer, name)
        if len(found) != 1 or not self.moves.is_stale(found[0].path) or self.shadowed(importer, name, found[0]):
            return None
        return found[0]

    def concerns(self, importer: str, base: str, names: Collection[str]) -> bool:
        """Whether `from base import names` may name a moved or deleted module: the base or one directly below it."""
        name = base.lstrip(".")
        level = len(base) - len(name)
        rest = name.replace(".", "/")
        here = posixpath.dirname(importer)
        for _ in range(level - 1):
            here = posixpath.dirname(here)
        roots = (here,) if level else self.roots(here)
        prefixes = {posixpath.join(root, rest).rstrip("/") for root in roots}
        below = not self._above_stale.isdisjoint(prefixes) and not self.ends.isdisjoint(names)
        return below or not self._stale_prefixes.isdisjoint(prefixes)

    def chained(self, text: str, tops: Collection[str]) -> bool:
        """Whether the text contains `top.….module` that may be a moved module: a cheap check."""
        return any(m[1] in tops and not self.ends.isdisjoint(m[2].split(".")) for m in _CHAIN.finditer(text))

    @cached_property
    def _stale_prefixes(self) -> frozenset[str]:
        return frozenset(prefix_of(old) for old in self.moves.stale if old.endswith(".py"))

    @cached_property
    def _above_stale(self) -> frozenset[str]:
        return frozenset(posixpath.dirname(prefix) for prefix in self._stale_prefixes)

    def ambiguous(self, importer: str, name: str) -> bool:
        """Whether a moved module is only one of several modules that the name could have meant."""
        found = self.resolve(importer, name)
        return len(found) > 1 and any(self.moves.is_stale(t.path) for t in found)

    def absolute(self, prefix: str, root: str, importer: str) -> str | None:
        """The dotted name of a module path (without suffix) relative to `root` or, if it is outside `root`, to the
        directory above its packages; None if that is not an import root of `importer`."""
        if not root or prefix.startswith(root + "/"):
            return dotted(prefix[len(root) + 1 if root else 0 :])
        top = self.package_root(prefix)
        if top in self.roots(posixpath.dirname(importer)):
            return dotted(prefix[len(top) + 1 if top else 0 :])
        return None

    def package_root(self, prefix: str) -> str:
        """The directory above the outermost package that contains a module now."""
        here = posixpath.dirname(prefix)
        while here and f"{here}/{_INIT}" in self.moves.now:
            here = posixpath.dirname(here)
        return here

    def renamed(self, path: str, name: str, *, shortest: int) -> str | None:
        """The new form of a dotted name whose first parts (at least `shortest`) are a moved module; "" if the module
        was deleted, None if it was not moved or the new name is uncertain."""
        importer = self.moves.former(path)
        parts = name.split(".")
        for length in range(len(parts), shortest - 1, -1):
            prefix = ".".join(parts[:length])
            found = self.resolve(importer, prefix)
            if not found:
                continue
            target = self.stale(importer, prefix)
            if target is None:
                return None
            if target.path in self.moves.gone:
                return ""
            new = self.absolute(prefix_of(self.moves.moved[target.path]), target.root, importer)
            return None if new is None else ".".join([new, *parts[length:]])
        return None


def prefix_of(path: str) -> str:
    """The module path without suffix: `a/b.py` and `a/b/__init__.py` are both `a/b`."""
    if posixpath.basename(path) == _INIT:
        return posixpath.dirname(path)
    return path.removesuffix(".py")


def dotted(prefix: str) -> str | None:
    """A module path as a dotted name, None if a part is not an identifier."""
    parts = prefix.split("/")
    if all(p.isidentifier() and p.isascii() and not keyword.iskeyword(p) for p in parts):
        return ".".join(parts)
    return None
