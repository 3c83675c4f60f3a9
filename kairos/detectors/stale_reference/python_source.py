"""A Python file with exact positions: the syntax tree, character offsets of its nodes, and the uses of names."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterator
from functools import cached_property

from kairos.detectors.patching import Span

_NEWLINE = re.compile(r"\r\n|\r|\n")


def parsed(text: str) -> ast.Module | None:
    """The syntax tree, None if the text does not parse (written for another version of Python, or not Python)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class PythonSource:
    """The source of one file. Offsets are in characters of `text`, while `ast` counts columns in UTF-8 bytes and has
    its own definition of a line ending."""

    def __init__(self, text: str, tree: ast.Module) -> None:
        self.text = text
        self.tree = tree
        bom = 1 if text.startswith("\ufeff") else 0
        self._starts = [bom, *(m.end() for m in _NEWLINE.finditer(text))]

    @cached_property
    def imports(self) -> list[ast.Import | ast.ImportFrom]:
        """Every import statement. Only statements are walked, because expressions contain no imports."""
        found: list[ast.Import | ast.ImportFrom] = []
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.Import | ast.ImportFrom):
                found.append(node)
            for field in ("body", "orelse", "finalbody", "handlers", "cases"):
                inner = getattr(node, field, None)
                if isinstance(inner, list):
                    waiting += inner
        return sorted(found, key=lambda n: (n.lineno, n.col_offset))

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node. Computed only if uses or strings have to be checked."""
        return list(ast.walk(self.tree))

    def offset(self, line: int, column: int) -> int:
        """The character offset of a 1-based line and a column in UTF-8 bytes."""
        start = self._starts[line - 1]
        stop = self._starts[line] if line < len(self._starts) else len(self.text)
        row = self.text[start:stop]
        return start + (column if row.isascii() else len(row.encode("utf-8")[:column].decode("utf-8", "ignore")))

    def span(self, node: ast.expr | ast.stmt | ast.alias) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    @cached_property
    def bound(self) -> frozenset[str]:
        """Names that are bound in any scope other than by an import."""
        found: set[str] = set()
        for node in self.nodes:
            match node:
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    found.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    found.add(name)
                case ast.arg(arg=name):
                    found.add(name)
                case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    found.add(name)
                case ast.MatchMapping(rest=str(name)):
                    found.add(name)
                case ast.Global(names=names) | ast.Nonlocal(names=names):
                    found.update(names)
                case _:
                    pass
        return frozenset(found)

    @cached_property
    def imported(self) -> list[tuple[str, str]]:
        """(bound name, origin) of every import in any scope; the origin is `a.b`, `a.b as` or `from a b`."""
        found = []
        for node in self.imports:
            if isinstance(node, ast.Import):
                found += [
                    (a.asname or a.name.split(".")[0], a.name if not a.asname else f"{a.name} as") for a in node.names
                ]
            else:
                origin = "." * node.level + (node.module or "")
                found += [(a.asname or a.name, f"from {origin} {a.name}") for a in node.names]
        return found

    @cached_property
    def _above(self) -> dict[int, ast.Attribute]:
        return {id(node.value): node for node in self.nodes if isinstance(node, ast.Attribute)}

    @cached_property
    def _inside_text(self) -> dict[int, ast.JoinedStr]:
        """The expressions within f-strings, whose recorded positions are unreliable before Python 3.12."""
        found: dict[int, ast.JoinedStr] = {}
        for node in self.nodes:
            if isinstance(node, ast.JoinedStr):
                for inner in ast.walk(node):
                    found.setdefault(id(inner), node)
        return found

    @cached_property
    def _names(self) -> dict[str, list[ast.Name]]:
        found: dict[str, list[ast.Name]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found.setdefault(node.id, []).append(node)
        return found

    def used(self, name: str) -> bool:
        """Whether a name is read anywhere."""
        return name in self._names

    def is_unbound(self, name: str) -> bool:
        """Whether a name is read, though nothing in the file binds it."""
        imported = {bound.split(".")[0] for bound, _ in self.imported}
        return self.used(name) and name not in self.bound and name not in imported

    def mentions(self, name: str, told: Collection[int] = ()) -> bool:
        """Whether a short string may refer to the name: a quoted annotation, `__all__`, a patch target. A string that
        starts with a dotted name is a separate reference and does not count, nor does one with an offset of `told`."""
        own = re.compile(rf"{re.escape(name)}(?:\.\w+)*(?::\w+)?" if "." in name else r"(?!)")
        rule = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
        return any(
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and len(node.value) <= 200
            and re.fullmatch(r"[\w.\[\], |\"']+", node.value) is not None
            and rule.search(node.value) is not None
            and own.fullmatch(node.value) is None
            and not any(at in range(*self.span(node)) for at in told)
            for node in self.nodes
        )

    def rebound(self, old: str, new: str, told: Collection[int] = ()) -> list[Span] | None:
        """The spans that replace every use of the imported name `old` (dotted or not) with `new`; None if it is
        uncertain that the meaning stays the same. `told`: offsets of strings that are rewritten anyway."""
        top, *rest = old.split(".")
        fresh = new.split(".")[0]
        others = {origin for name, origin in self.imported if name == top}
        if top in self.bound or self.mentions(old, told):
            return None
        if not rest and len(others) > 1:
            return None
        if fresh != top:
            plain = {origin for name, origin in self.imported if name == fresh}
            if fresh in self.bound or any(" " in origin for origin in plain) or (not plain and self.used(fresh)):
                return None
        spans: list[Span] = []
        for name in self._names.get(top, []):
            node: ast.expr = name
            for part in rest:
                above = self._above.get(id(node))
                if above is None or above.attr != part:
                    alone = others == {old} and (fresh != top or above is None)
                    if alone or any(" " in origin for origin in others):
                        return None  # The package itself is used, and only this import binds it.
                    break
                node = above
            else:
                if not isinstance(getattr(node, "ctx", None), ast.Load):
                    return None
                span = self.exact(node, name, old)
                if span is None:
                    return None
                spans.append(Span(*span, new))
        return spans if len(set(spans)) == len(spans) else None

    def chains(self) -> Iterator[tuple[ast.expr, ast.Name, list[str]]]:
        """Yields every `package.module…` whose package is bound only by plain imports: (the attribute, its first name,
        the parts so far), longest first for each name."""
        plain = {name for name, origin in self.imported if " " not in origin and origin.split(".")[0] == name}
        plain -= {name for name, origin in self.imported if " " in origin} | self.bound
        for top in sorted(plain):
            for name in self._names.get(top, []):
                node: ast.expr = name
                parts, seen = [top], list[tuple[ast.expr, list[str]]]()
                while (above := self._above.get(id(node))) is not None:
                    node, parts = above, [*parts, above.attr]
                    seen.append((node, parts))
                for found, spelled in reversed(seen):
                    yield found, name, spelled

    def exact(self, node: ast.expr, name: ast.Name, old: str) -> tuple[int, int] | None:
        """The span (start, end) of `old`, verified against the text; None if it differs."""
        inside = self._inside_text.get(id(node))
        if inside is not None:
            start, end = self.span(inside)
            hits = [m.start() for m in re.finditer(rf"(?<![\w.]){re.escape(name.id)}(?!\w)", self.text[start:end])]
            # If words and names are equal in number, no word in the literal text can be mistaken for a name.
            names = [n for n in self._names[name.id] if self._inside_text.get(id(n)) is inside]
            if len(hits) != len(names):
                return None
            at = start + hits[next(i for i, n in enumerate(names) if n is name)]
            return (at, at + len(old)) if self.text[at : at + len(old)] == old else None
        start, end = self.span(node)
        return (start, end) if self.text[start:end] == old else None
