"""Finds imports in Python files that name a moved or deleted module, and the uses of the imported names."""

from __future__ import annotations

import ast
import posixpath
import re
import sys
from collections.abc import Callable
from typing import NamedTuple

from kairos.detectors.patching import Span, ordered, replaced
from kairos.detectors.stale_reference.modules import Modules, dotted, prefix_of
from kairos.detectors.stale_reference.python_source import PythonSource, parsed
from kairos.detectors.stale_reference.references import Found

SUFFIXES = (".py", ".pyi")
_FROM = re.compile(r"from([ \t]+)((\.*)([A-Za-z_][\w.]*)?)[ \t]+import\b")
NAMERS = frozenset({"import_module", "__import__", "patch", "setattr", "delattr", "run_module", "find_spec"})
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?::[A-Za-z_]\w*)?")


class Wish(NamedTuple):
    """The new form of one imported name: the module part after `from` ("" for a plain `import`) and the name."""

    module: str
    name: str


def find_imports(path: str, text: str, modules: Modules, read: Callable[[str], str | None]) -> Found:
    """The references in one Python file. A reference that cannot be rewritten with certainty becomes a doubt. `read`
    returns the current text of a path."""
    tree = parsed(text)
    found = Found()
    if tree is None:
        found.doubts.append((0, "it cannot be parsed"))
        return found
    search = _Search(path, PythonSource(text, tree), modules, found)
    for node in search.source.imports:
        if isinstance(node, ast.Import):
            search.plain(node)
        else:
            search.from_import(node)
    search.attributes(read)
    search.strings()
    spans = ordered(found.spans)
    if spans is None or (search.reshaped and parsed(replaced(text, spans)) is None):
        found.doubts += [(line, "the rewritten file would not be sure to work") for line in sorted(found.lines)]
        found.spans, found.lines, found.count = [], set(), 0
    return found


class _Search:
    def __init__(self, path: str, source: PythonSource, modules: Modules, found: Found) -> None:
        self.path = path
        self.former = modules.moves.former(path)
        self.source = source
        self.modules = modules
        self.moves = modules.moves
        self.found = found
        self.reshaped = False
        """Whether more than names within imports was replaced; if so, the result is parsed again."""
        self.reexports = posixpath.basename(path) == "__init__.py"

    def plain(self, node: ast.Import) -> None:
        """Handles `import a.b`, `import a.b as c`."""
        for alias in node.names:
            line = alias.lineno - 1
            target = self.modules.stale(self.former, alias.name)
            if target is None:
                if self.modules.ambiguous(self.former, alias.name):
                    self._doubt(line, f"`{alias.name}` could mean several modules")
                continue
            if target.path in self.moves.gone:
                self.found.dead.add(line)
                continue
            new = self.modules.absolute(prefix_of(self.moves.moved[target.path]), target.root, self.former)
            start, _ = self.source.span(alias)
            span = (start, start + len(alias.name))
            if new is None or self.source.text[slice(*span)] != alias.name:
                self._doubt(line, f"how `{alias.name}` is to be imported now is not certain")
            elif new != alias.name:
                self._bind(line, span, alias, alias.name, new)

    def from_import(self, node: ast.ImportFrom) -> None:
        """Handles `from a.b import c`, `from . import c`, `from a import *`."""
        line = node.lineno - 1
        bases = self._bases(node)
        wishes: list[tuple[ast.alias, Wish]] = []
        changed = False
        for alias in node.names:
            wish = self._wish(node, alias, bases)
            if wish is None:
                return
            if wish == Wish("", ""):
                self.found.dead.add(alias.lineno - 1)
                continue
            wishes.append((alias, wish))
            changed = changed or wish != Wish(_spelled(node), alias.name)
        if not changed:
            return
        if len(wishes) != len(node.names):
            self._doubt(line, "it also names a deleted module")
        elif len({w.module for _, w in wishes}) == 1 and wishes[0][1].module:
            self._in_place(node, wishes)
        else:
            self._apart(node, wishes)

    def _bases(self, node: ast.ImportFrom) -> list[tuple[str, str]]:
        """Each (module path without suffix, import root) that the part after `from` could mean, before the moves."""
        rest = (node.module or "").replace(".", "/")
        if node.level:
            here = posixpath.dirname(self.former)
            for _ in range(node.level - 1):
                if not here:
                    return []
                here = posixpath.dirname(here)
            return [(posixpath.join(here, rest) if rest else here, "")]
        return [(posixpath.join(r, rest), r) for r in self.modules.roots(posixpath.dirname(self.former))]

    def _wish(self, node: ast.ImportFrom, alias: ast.alias, bases: list[tuple[str, str]]) -> Wish | None:
        """The new import of the alias; Wish("", "") if its module was deleted; None if the statement should not be
        changed (a doubt may give the reason)."""
        same = Wish(_spelled(node), alias.name)
        hits: list[tuple[str, str, bool]] = []
        for base, root in bases:
            submodule = self.modules.module_at(posixpath.join(base, alias.name)) if alias.name != "*" else None
            own = self.modules.module_at(base)
            if submodule is not None and (own is None or own.endswith("/__init__.py")):
                hits.append((submodule, root, True))
            elif own is not None:
                hits.append((own, root, False))
        stale = [h for h in hits if self.moves.is_stale(h[0])]
        shifted = node.level > 0 and self.former != self.path
        if not stale and not (shifted and hits):
            return same
        if len({h[0] for h in hits}) > 1:
            self._doubt(node.lineno - 1, f"`{same.module}` could mean several modules")
            return None
        old, root, is_module = hits[0]
        if not node.level and node.module and not root and node.module.split(".")[0] in sys.stdlib_module_names:
            return same
        if old in self.moves.gone:
            return Wish("", "")
        new = prefix_of(self.moves.moved.get(old, old))
        parent, name = posixpath.split(new) if is_module else (new, alias.name)
        if is_module and dotted(name) is None:
            module = None
        elif node.level:
            module = self._relative(parent, node.level)
        else:
            module = self.modules.absolute(parent, root, self.former) if parent != root else ""
        if module is None:
            self._doubt(node.lineno - 1, f"how `{alias.name}` is to be imported now is not certain")
            return None
        return Wish(module, name)

    def _relative(self, parent: str, level: int) -> str | None:
        """The name of a package or module path relative to this file's package, absolute if it would leave the
        package."""
        here = posixpath.dirname(self.path)
        top = self.modules.package_root(self.path)
        climb, ups = here, 1
        while climb and parent != climb and not parent.startswith(climb + "/"):
            climb = posixpath.dirname(climb)
            ups += 1
        packaged = climb != top and (not top or climb.startswith(top + "/"))
        if climb == here or (climb and (packaged or ups <= level)):
            rest = parent[len(climb) + 1 if climb else 0 :]
            name = dotted(rest) if rest else ""
            return None if name is None else "." * ups + name
        return self.modules.absolute(parent, self.modules.package_root(parent + "/x"), self.path)

    def _in_place(self, node: ast.ImportFrom, wishes: list[tuple[ast.alias, Wish]]) -> None:
        """Rewrites a statement whose names all come from one module; its form is unchanged."""
        line = node.lineno - 1
        start, _ = self.source.span(node)
        head = _FROM.match(self.source.text, start)
        if head is None or head[2] != _spelled(node):
            self._doubt(line, "the import is written in an unusual way")
            return
        module = wishes[0][1].module
        spans = [Span(*head.span(2), module)] if module != head[2] else []
        for alias, wish in wishes:
            if wish.name != alias.name:
                at, _ = self.source.span(alias)
                more = self._renaming((at, at + len(alias.name)), alias, alias.name, wish.name)
                if more is None:
                    self._doubt(line, f"the uses of `{alias.name}` are not certain")
                    return
                spans += more
        self.found.rewrite(line, *spans)

    def _apart(self, node: ast.ImportFrom, wishes: list[tuple[ast.alias, Wish]]) -> None:
        """Replaces a statement whose names now come from several modules or from none: one statement per module."""
        text = self.source.text
        start, end = self.source.span(node)
        begin = text.rfind("\n", 0, start) + 1
        indent = text[begin:start]
        stop = text.find("\n", end)
        after = text[end : stop if stop >= 0 else len(text)].strip()
        if (
            "\n" in text[start:end]
            or "(" in text[start:end]
            or indent.strip("\ufeff \t")
            or (after and after[0] != "#")
        ):
            self._doubt(node.lineno - 1, "the import would have to be split by hand")
            return
        groups: dict[str, list[str]] = {}
        for alias, wish in wishes:
            bound = alias.asname or alias.name
            groups.setdefault(wish.module, []).append(wish.name if wish.name == bound else f"{wish.name} as {bound}")
        self.reshaped = True
        lines = [
            f"from {module} import {', '.join(names)}" if module else f"import {', '.join(names)}"
            for module, names in groups.items()
        ]
        end_of_line = "\r\n" if text[max(0, stop - 1) : stop] == "\r" and stop > 0 else "\n"
        self.found.rewrite(node.lineno - 1, Span(start, end, (end_of_line + indent.lstrip("\ufeff")).join(lines)))

    def _bind(self, line: int, span: tuple[int, int], alias: ast.alias, old: str, new: str) -> None:
        spans = self._renaming(span, alias, old, new)
        if spans is None:
            self._doubt(line, f"the uses of `{old}` are not certain")
        else:
            self.found.rewrite(line, *spans)

    def _renaming(self, span: tuple[int, int], alias: ast.alias, old: str, new: str) -> list[Span] | None:
        """The spans that rename the imported name and its uses; if a use is uncertain, an alias keeps the old name."""
        if alias.asname:
            return [Span(*span, new)]
        self.reshaped = True
        uses = None if self.reexports else self.source.rebound(old, new)
        if uses is not None:
            return [Span(*span, new), *uses]
        return None if "." in old else [Span(*span, f"{new} as {old}")]

    def attributes(self, read: Callable[[str], str | None]) -> None:
        """Handles `package.module.name` after `import package`, if the attribute can only be the submodule."""
        done: set[int] = set()
        imported = {origin for _, origin in self.source.imported}
        if not self.modules.chained(
            self.source.text, {origin.split(".")[0] for origin in imported if " " not in origin}
        ):
            return
        for node, name, parts in self.source.chains():
            old = ".".join(parts)
            if old in imported:
                done.add(id(name))  # handled by `plain`
            target = None if id(name) in done else self.modules.stale(self.former, old)
            if target is None:
                continue
            done.add(id(name))
            line = node.lineno - 1
            if target.path in self.moves.gone:
                continue  # The name may mean something else.
            new = self.modules.absolute(prefix_of(self.moves.moved[target.path]), target.root, self.former)
            package = posixpath.dirname(prefix_of(target.path))
            init = read(f"{self.moves.directories.get(package, package)}/__init__.py")
            same = new is not None and new.rpartition(".")[0] == ".".join(parts[:-1])
            span = self.source.exact(node, name, old)
            if not same or span is None or new is None or _binds(init or "", parts[-1]):
                self._doubt(line, f"what `{old}` means now is not certain")
            else:
                self.found.rewrite(line, Span(*span, new))

    def strings(self) -> None:
        """Handles whole strings that are a module name: dotted names anywhere, single names where a call takes a module
        name."""
        if not self.modules.quoted.search(self.source.text):
            return
        named = {
            id(node.args[0])
            for node in self.source.nodes
            if isinstance(node, ast.Call) and node.args
            and (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) in NAMERS
        }  # fmt: skip
        prose = {id(node.value) for node in self.source.nodes if isinstance(node, ast.Expr)}
        for node in self.source.nodes:
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in prose:
                continue
            value = node.value
            if len(value) > 200 or not _NAME.fullmatch(value) or ("." not in value and id(node) not in named):
                continue
            name, colon, attribute = value.partition(":")
            new = self.modules.renamed(self.path, name, shortest=1 if id(node) in named else 2)
            if new is None or new == name:
                continue
            line = node.lineno - 1
            start, end = self.source.span(node)
            if new == "":
                self.found.dead.add(line)
            elif self.source.text[start:end] in (f'"{value}"', f"'{value}'"):
                self.found.rewrite(line, Span(start + 1, end - 1, new + colon + attribute))
            else:
                self._doubt(line, f"the string {value!r} names the old module")

    def _doubt(self, line: int, why: str) -> None:
        self.found.doubts.append((line, why))


def _binds(text: str, name: str) -> bool:
    """Whether the package's `__init__.py` binds the name to something other than the submodule."""
    tree = parsed(text)
    if tree is None:
        return True
    source = PythonSource(text, tree)
    return name in source.bound or any(
        bound == name and origin != f"from . {name}" for bound, origin in source.imported
    )


def _spelled(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")
