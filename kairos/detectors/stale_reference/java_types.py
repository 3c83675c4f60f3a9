"""Resolves the types that Java files name: by imports, in their package, by full names, and in the moved file itself.

A name is rewritten only where the file proves what it is bound to. A type that would have to be imported from now on is
a doubt: a patch changes names and adds none."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from kairos.detectors.stale_reference.destinations import STAYS, Followed
from kairos.detectors.stale_reference.java_moves import JavaMoves, MovedType
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.resolving import SourceReference

Rows = Iterator[tuple[int, int, Followed]]
UNIMPORTED = "the file does not compile until it imports it"
"""How a doubt ends without whose answer the patch alone is not enough."""
_IMPORTS = ("import", "static", "all")


def resolved(path: str, parts: list[SourceReference], text: str, moves: Moves, projects: Projects) -> Rows:
    """(start, end, new form) of the package, the imports, and the names of moved types."""
    if projects.java.by_old or projects.java.by_full:
        yield from _File(path, parts, moves, projects).rows()


class _File:
    """One file, with what its package was and is."""

    def __init__(self, path: str, parts: list[SourceReference], moves: Moves, projects: Projects) -> None:
        self.path, self.parts, self.moves, self.projects = path, parts, moves, projects
        self.java: JavaMoves = projects.java
        self.own = self.java.by_old.get(moves.former(path)) if moves.former(path) != path else None
        clause = next((p.value for p in parts if p.kind == "package"), "")
        self.before, self.now = clause, clause
        if self.own is not None:
            self.before = self.own.package
            self.now = self.own.new_package if self.own.new_package is not None else clause
        self.imports = {p.value.rpartition(".")[2]: p.value for p in parts if p.kind == "import"}
        self.all = {p.value for p in parts if p.kind == "all"}
        self.declared = {p.value for p in parts if p.kind == "declared"}
        self.types = {p.value for p in parts if p.kind == "type"}
        self.names = {p.value for p in parts if p.kind == "name"}

    def rows(self) -> Rows:
        for part in self.parts:
            if part.kind == "package":
                yield part.start, part.end, self._clause(part.value)
            elif part.kind in _IMPORTS:
                yield part.start, part.end, self._import(part)
            elif part.kind in ("qualified", "doc"):
                yield from self._qualified(part)
            elif part.kind == "string" and part.value in self.java.by_full:
                yield part.start, part.end, Followed(None, f"whether the string means the type `{part.value}`")
        words = {*self.names, *self.types, *(p.value.split(".")[0] for p in self.parts if p.kind == "doc")}
        for name in sorted(words & self.java.by_name.keys()):
            for moved in self.java.by_name[name]:
                if self._is_bound(moved):
                    yield from self._uses(moved)
        if self.own is not None and self.before != self.now:
            yield from self._left_behind()

    def _clause(self, value: str) -> Followed:
        if self.own is None or value != self.own.package or self.own.new_package == value:
            return STAYS
        if not self.own.new_package:
            return Followed(None, f"what the package of {self.path} is now is not certain")
        return Followed(self.own.new_package, "", self.path)

    def _import(self, part: SourceReference) -> Followed:
        moved = self.java.named(part.value)
        if moved is None:
            return self._all(part.value) if part.kind == "all" else STAYS
        if moved.gone:
            return Followed("")
        if not moved.new_package:
            return Followed(None, f"what the package of `{moved.full}` is now is not certain")
        if moved.new_full == moved.full:
            return STAYS
        new = moved.new_full + part.value[len(moved.full) :]
        if any(p.kind == part.kind and p.value == new for p in self.parts):
            return Followed(None, f"`{new}` is imported already")
        if part.kind == "import" and moved.new_name != moved.name and part.value == moved.full and self._hidden(moved):
            return Followed(
                None, f"`{moved.name}` is called `{moved.new_name}` now, and the file uses one of both otherwise"
            )
        return Followed(new, "", moved.new_full)

    def _all(self, package: str) -> Followed:
        if (new := self.java.whole.get(package)) is not None:
            there = any(p.kind == "all" and p.value == new for p in self.parts)
            return Followed(None, f"`{new}` is imported already") if there else Followed(new, "", new)
        out = [
            t
            for name in sorted(self.names & self.java.by_name.keys() - self.imports.keys() - self.declared)
            for t in self.java.by_name[name]
            if t.package == package and t.new_package != package
        ]
        return Followed(None, f"`{out[0].name}` is in another package now") if out else STAYS

    def _qualified(self, part: SourceReference) -> Rows:
        moved = self.java.named(part.value)
        if moved is None or moved.gone or moved.full == moved.new_full or part.value.split(".")[0] in self.declared:
            return
        end = part.start + len(moved.full)
        if not moved.new_package:
            yield part.start, end, Followed(None, f"what the package of `{moved.full}` is now is not certain")
        else:
            yield part.start, end, Followed(moved.new_full, "", moved.new_full)

    def _is_bound(self, moved: MovedType) -> bool:
        """Whether the simple name of a type meant it in this file."""
        if moved is self.own:
            return True
        if moved.name in self.imports:
            return self.imports[moved.name] == moved.full
        if moved.package == self.before:
            return True
        beside = posixpath.join(posixpath.dirname(self.moves.former(self.path)), f"{moved.name}.java")
        return moved.package in self.all and not self.moves.was(beside)

    def _uses(self, moved: MovedType) -> Rows:
        """The uses of a type by its simple name, which its file now calls otherwise."""
        if moved is self.own and moved.new_name in self.types:
            return  # People called it so in its own file.
        kinds = ("name", "type", "constructor") if moved is self.own else ("name",)
        uses = [p for p in self.parts if p.kind in kinds and p.value == moved.name]
        docs = [p for p in self.parts if p.kind == "doc" and p.value.split(".")[0] == moved.name]
        if not uses and not docs:
            return
        first = min(p.start for p in (*uses, *docs))
        place = (first, first + len(moved.name))
        explicit = moved is self.own or self.imports.get(moved.name) == moved.full
        if not explicit and uses and moved.new_package != self.now and moved.package == self.before:
            yield (
                *place,
                Followed(None, f"`{moved.name}` is in {moved.new_package or 'another package'} now, and {UNIMPORTED}"),
            )
        elif moved.name == moved.new_name:
            return
        elif self._hidden(moved) or (not explicit and moved.name in self.projects.java_nested):
            why = f"`{moved.name}` is called `{moved.new_name}` now, and what it means here is not certain"
            yield *place, Followed(None, why)
        else:
            for part in (*uses, *docs):
                yield part.start, part.start + len(moved.name), Followed(moved.new_name, "", moved.new_full)

    def _hidden(self, moved: MovedType) -> bool:
        """Whether the file has one of both names of a type for something else."""
        taken = {*self.declared, *self.types, *self.names, *self.imports} - {moved.name}
        return moved.name in self.declared or moved.new_name in taken

    def _left_behind(self) -> Rows:
        """The types beside which a moved file stood, and which it would have to import now."""
        was = posixpath.dirname(self.moves.former(self.path))
        seen = set[str]()
        for part in self.parts:
            name = part.value
            if part.kind != "name" or name in seen or name in self.imports or name in self.declared | self.types:
                continue
            seen.add(name)
            if f"{was}/{name}.java" in self.moves.now and not self.moves.is_stale(f"{was}/{name}.java"):
                yield part.start, part.end, Followed(None, f"`{name}` stays in {self.before}, and {UNIMPORTED}")
