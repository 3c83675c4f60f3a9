"""Import roots of a tree, and the modules that names mean in it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import NamedTuple

_SOURCES = ("src", "lib", "python")
INIT = "__init__.py"
_PROJECT = ("pyproject.toml", "setup.py", "setup.cfg")


class Target(NamedTuple):
    """A module: its path and the import root that its name is relative to."""

    path: str
    root: str


class ConfiguredRoot(NamedTuple):
    """An import root that a configuration file states, for the files below the directory of that file."""

    below: str
    root: str


class Layout:
    """One tree, before or after the moves. An import root is a directory on the module search path: stated by
    configuration, or guessed from the layout."""

    def __init__(
        self,
        has: Callable[[str], bool],
        directories: Collection[str],
        configured: Collection[ConfiguredRoot] = (),
    ) -> None:
        self.has = has
        self._directories = directories
        self._configured = configured
        self.roots = lru_cache(maxsize=4096)(self._roots)
        self.resolve = lru_cache(maxsize=65_536)(self._resolve)

    def is_package(self, directory: str) -> bool:
        return bool(directory) and self.has(f"{directory}/{INIT}")

    def module_at(self, prefix: str) -> str | None:
        """The file of a module path without suffix."""
        return next((p for p in (f"{prefix}/{INIT}", f"{prefix}.py", f"{prefix}.pyi") if prefix and self.has(p)), None)

    def _roots(self, directory: str) -> tuple[str, ...]:
        """Import roots for a file in `directory`, nearest first: the directories above it that are not packages, and
        src, lib and python below those; then those that configuration states."""
        found = []
        here = directory
        while True:
            if not self.is_package(here):
                found.append(here)
                found += [
                    inner
                    for inner in (posixpath.join(here, name) for name in _SOURCES)
                    if inner in self._directories and not self.is_package(inner)
                ]
            if not here:
                break
            here = posixpath.dirname(here)
        return tuple(dict.fromkeys([*found, *self.stated(directory)]))

    def stated(self, directory: str) -> list[str]:
        """The import roots that configuration states for a file in `directory`."""
        return [c.root for c in self._configured if not c.below or f"{directory}/".startswith(c.below + "/")]

    def _resolve(self, directory: str, name: str) -> tuple[Target, ...]:
        """The modules that an absolute name could mean for a file in `directory`. Several: ambiguous."""
        rest = name.replace(".", "/")
        found: dict[str, Target] = {}
        for root in self.roots(directory):
            path = self.module_at(posixpath.join(root, rest))
            if path is not None:
                found.setdefault(path, Target(path, root))
        return tuple(found.values())

    def sure(self, target: Target, directory: str) -> bool:
        """Whether the root of a target is certainly on the search path of a file in `directory`: it is stated, lies
        above the file, or is a `src` that holds packages or belongs to a project."""
        root = target.root
        if not root or root in self.stated(directory) or f"{directory}/".startswith(root + "/"):
            return True
        if posixpath.basename(root) != "src":
            return False
        top = target.path[len(root) + 1 :].split("/")[0]
        parent = posixpath.dirname(root)
        return self.is_package(f"{root}/{top}") or any(self.has(posixpath.join(parent, n)) for n in _PROJECT)

    def is_source_root(self, root: str, directory: str) -> bool:
        """Whether a directory is an import root by configuration or by the name `src`."""
        stated = root in self.stated(directory)
        return stated or (posixpath.basename(root) == "src" and not self.is_package(root) and root in self._directories)
