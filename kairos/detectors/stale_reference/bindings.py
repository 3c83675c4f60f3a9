"""The names that a module binds at its top level, and whether they are objects or submodules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal, NamedTuple

from kairos.detectors.stale_reference.python_source import parsed

Bound = Literal["object", "module", "unknown", "no"]
"""What a name of a package is: an object, a module that it imports by this name, not certain, or not bound."""


class FromImport(NamedTuple):
    """`from module import name`: the level (number of dots), the module and the name."""

    level: int
    module: str
    name: str


class Bindings:
    """The bindings of one module, in the order of its statements."""

    def __init__(self, tree: ast.Module) -> None:
        self.last: dict[str, tuple[int, FromImport | None]] = {}
        """Each bound name with the place of its last binding and, if it was imported, from where."""
        self.first_import: dict[str, int] = {}
        """The place of the first `from .name import …` of a package, which binds the submodule."""
        self.stars: list[FromImport] = []
        self.exported: frozenset[str] | None = None
        for place, node in enumerate(_statements(tree)):
            self._take(place, node)

    @property
    def dynamic(self) -> bool:
        """Whether the module answers for names that it does not bind."""
        return "__getattr__" in self.last

    def public(self) -> frozenset[str]:
        """The names that a star import takes, less those of its own star imports."""
        return self.exported if self.exported is not None else frozenset(n for n in self.last if n[0] != "_")

    def _bind(self, name: str, place: int, origin: FromImport | None = None) -> None:
        self.last[name] = (place, origin)

    def _take(self, place: int, node: ast.stmt) -> None:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    self._bind(alias.asname or alias.name.split(".")[0], place)
            case ast.ImportFrom(names=names, level=level, module=module):
                if level == 1 and module:
                    self.first_import.setdefault(module.split(".")[0], place)
                for alias in names:
                    origin = FromImport(level, module or "", alias.name)
                    if alias.name == "*":
                        self.stars.append(origin)
                    else:
                        self._bind(alias.asname or alias.name, place, origin)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self._bind(name, place)
            case ast.Assign(targets=targets, value=value):
                self._exports(targets, value, add=False)
                for target in targets:
                    self._names(target, place)
            case ast.AugAssign(target=target, value=value):
                self._exports([target], value, add=True)
            case ast.AnnAssign(target=target, value=expression) if expression is not None:
                self._exports([target], expression, add=False)
                self._names(target, place)
            case ast.For(target=target) | ast.AsyncFor(target=target):
                self._names(target, place)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                for item in items:
                    if item.optional_vars is not None:
                        self._names(item.optional_vars, place)
            case _ if type(node).__name__ == "TypeAlias":
                self._names(node.name, place)  # type: ignore[attr-defined]
            case _:
                pass

    def _names(self, target: ast.expr, place: int) -> None:
        for node in ast.walk(target):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self._bind(node.id, place)

    def _exports(self, targets: list[ast.expr], value: ast.expr, *, add: bool) -> None:
        if not any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets):
            return
        known = isinstance(value, ast.List | ast.Tuple)
        names = [
            e.value for e in getattr(value, "elts", []) if isinstance(e, ast.Constant) and isinstance(e.value, str)
        ]
        if known and (not add or self.exported is not None):
            self.exported = frozenset(names) | (self.exported or frozenset() if add else frozenset())
        else:
            self.exported = None


def bindings_of(text: str) -> Bindings | None:
    """The bindings of a module's text; None if it cannot be parsed."""
    tree = parsed(text)
    return None if tree is None else Bindings(tree)


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that run at import, in order: those in `if`, `try`, loops and `with`, not in functions."""
    waiting: list[ast.AST] = list(reversed(tree.body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt):
            yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        inner: list[ast.AST] = []
        for field in ("body", "handlers", "orelse", "finalbody", "cases"):
            found = getattr(node, field, None)
            if isinstance(found, list):
                inner += found
        waiting += reversed(inner)
