"""Resolves Rust's module declarations and paths to files, and spells them anew when a module moved."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from kairos.detectors.stale_reference.destinations import STAYS, Followed, PathReading, follow
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.resolving import SourceReference

_SAFE = re.compile(r"[\w./@+~-]+")
_ROOTS = ("lib.rs", "main.rs")
_OWN = ("tests", "benches", "examples", "bin")
"""Directories whose files are crates of their own."""


class CratePlace(NamedTuple):
    """A module: the directory of its crate's root file, and its path in the crate."""

    source: str
    words: tuple[str, ...]


def resolved(
    path: str, parts: list[SourceReference], text: str, moves: Moves, projects: Projects
) -> Iterator[tuple[int, int, Followed]]:
    """(start, end, new form) of every module declaration, path and included file."""
    before, here = posixpath.dirname(moves.former(path)), posixpath.dirname(path)
    crates = _Crates(moves, projects)
    for part in parts:
        if part.kind in ("file", "include"):
            followed = follow(part.value, [PathReading(before, here, "relative")], moves)
            if followed.new and not _SAFE.fullmatch(followed.new):
                followed = Followed(None, "the new name is unusual")
            yield part.start, part.end, followed
        elif part.kind == "mod":
            yield part.start, part.end, crates.declared(path, part.value)
        elif part.kind in ("use", "path"):
            yield part.start, part.end, crates.named(path, part.value)


class _Crates:
    def __init__(self, moves: Moves, projects: Projects) -> None:
        self.moves = moves
        self.projects = projects

    def declared(self, path: str, value: str) -> Followed:
        """What became of `mod name;` in a file, with the inline modules around it."""
        around, _, name = value.partition("|")
        inline = around.split("::") if around else []
        old = next((p for p in self._beside(self.moves.former(path), [*inline, name]) if self.moves.was(p)), None)
        if old is None:
            return STAYS
        if any(p in self.moves.now for p in self._beside(path, [*inline, name])):
            return STAYS
        if old in self.moves.gone:
            return Followed("")
        target = self.moves.moved.get(old, old)
        stem = posixpath.basename(posixpath.dirname(target) if target.endswith("/mod.rs") else target[:-3])
        if target in self._beside(path, [*inline, stem]) and stem.isidentifier():
            return Followed(stem, "", target)
        return Followed(None, f"{target} is no longer a module of this file")

    def _beside(self, path: str, words: list[str]) -> list[str]:
        """The files that a module declared in `path` may have."""
        directory, base = posixpath.split(path)
        stem = base.removesuffix(".rs")
        is_root = base in (*_ROOTS, "mod.rs") or path in self.projects.crate_roots or _is_own(path)
        bases = [directory] if is_root else [posixpath.join(directory, stem)]
        prefixes = [posixpath.join(b, *words) for b in bases]
        return [file for prefix in prefixes for file in (f"{prefix}.rs", f"{prefix}/mod.rs")]

    def named(self, path: str, value: str) -> Followed:
        """What became of the last word of a path that is a module; its words before stay."""
        around, _, name = value.partition("|")
        inline, words = around.split("::") if around else [], name.split("::")
        old = self._meaning(self.moves.former(path), inline, words, self.moves.was)
        if old is None or not self.moves.is_stale(old[1]) or words[-1] in ("crate", "self", "super"):
            return STAYS
        place, file = old
        now = self._meaning(path, inline, words, self.moves.now.__contains__)
        if now is not None:
            return STAYS
        if file in self.moves.gone:
            return STAYS  # The declaration is dead; what uses it is told by the compiler.
        target = self.moves.moved[file]
        new = self._place(target, self.moves.now.__contains__)
        if new is None or not new.words or not place.words:
            return STAYS
        parent = self._moved_place(place)
        if new.words[:-1] == parent.words[:-1] and new.source == parent.source:
            return STAYS if new.words[-1] == words[-1] else Followed(new.words[-1], "", target)
        return Followed(None, f"`{words[-1]}` is in another module now")

    def _moved_place(self, place: CratePlace) -> CratePlace:
        """Where a place is now that its directories moved."""
        source = self.moves.directories.get(place.source, place.source)
        words = list(place.words)
        for length in range(1, len(words)):
            directory = posixpath.join(place.source, *place.words[:length])
            new = self.moves.directories.get(directory) or self._moved_module(directory)
            if new is not None and posixpath.dirname(new) == posixpath.join(source, *words[: length - 1]):
                words[length - 1] = posixpath.basename(new)
        return CratePlace(source, tuple(words))

    def _moved_module(self, prefix: str) -> str | None:
        new = self.moves.moved.get(f"{prefix}.rs")
        return new.removesuffix(".rs") if new else None

    def _meaning(
        self, path: str, inline: list[str], words: list[str], has: Callable[[str], bool]
    ) -> tuple[CratePlace, str] | None:
        """The module that a path means as a whole, and its file; None if it is no module of the tree."""
        place = self._place(path, has)
        if place is None:
            return None
        source, at = place.source, [*place.words, *inline]
        rest = list(words)
        first = rest.pop(0)
        if first == "crate":
            at = []
        elif first == "super":
            while True:
                if not at:
                    return None
                at.pop()
                if not rest or rest[0] != "super":
                    break
                rest.pop(0)
        elif first != "self":
            if _file(source, [*at, first], has):
                at.append(first)
            elif first in self.projects.crates:
                source, at = self.projects.crates[first], []
                source = next(
                    (o for o, n in self.moves.directories.items() if n == source and has(f"{o}/lib.rs")), source
                )
            elif place.words and _file(source, [first], has) and not inline:
                at = [first]  # as in the edition of 2015
            else:
                return None
        at += rest
        file = _file(source, at, has)
        return None if file is None else (CratePlace(source, tuple(at)), file)

    def _place(self, path: str, has: Callable[[str], bool]) -> CratePlace | None:
        """The place of a file in its crate."""
        if not path.endswith(".rs"):
            return None
        directory = posixpath.dirname(path)
        if _is_own(path) or (path in self.projects.crate_roots and posixpath.basename(path) not in _ROOTS):
            return CratePlace(directory, ())
        source = directory
        while source and not any(has(f"{source}/{root}") for root in _ROOTS):
            if posixpath.basename(source) in _OWN and not source.endswith("src/bin"):
                break
            source = posixpath.dirname(source)
        inner = path[len(source) + 1 if source else 0 : -3].split("/")
        if inner[-1] in ("mod", "lib", "main"):
            inner.pop()
        return CratePlace(source, tuple(inner))


def _file(source: str, words: list[str], has: Callable[[str], bool]) -> str | None:
    if not words:
        return next((f for root in _ROOTS if has(f := posixpath.join(source, root))), None)
    prefix = posixpath.join(source, *words)
    return next((f for f in (f"{prefix}.rs", f"{prefix}/mod.rs") if has(f)), None)


def _is_own(path: str) -> bool:
    """Whether a file is the root of a test, a benchmark, an example or a program."""
    directory, base = posixpath.split(path)
    return posixpath.basename(directory) in _OWN and base != "mod.rs"
