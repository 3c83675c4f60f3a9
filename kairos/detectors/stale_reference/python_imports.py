"""Finds imports in Python files that name a moved or deleted module, and the uses of the imported names."""

from __future__ import annotations

import ast
import posixpath
import re
import sys
from typing import NamedTuple

from kairos.detectors.patching import Span, ordered, replaced
from kairos.detectors.stale_reference import python_strings
from kairos.detectors.stale_reference.layout import INIT
from kairos.detectors.stale_reference.modules import Modules, dotted, prefix_of
from kairos.detectors.stale_reference.python_source import PythonSource, parsed
from kairos.detectors.stale_reference.references import Found
from kairos.detectors.stale_reference.relative_imports import above, leads_to, means_now, relative_name

SUFFIXES = (".py", ".pyi")
NAMERS = python_strings.NAMERS
_FROM = re.compile(r"from([ \t]+)((\.*)([A-Za-z_][\w.]*)?)[ \t]+import\b")


class Wish(NamedTuple):
    """The new form of one imported name: the module part after `from` ("" for a plain `import`) and the name."""

    module: str
    name: str


class Hit(NamedTuple):
    """One meaning of an imported name: a module before the moves, its import root, and whether the name itself is the
    module rather than something in it."""

    path: str
    root: str
    is_module: bool


_DEAD = Wish("", "")


def find_imports(path: str, text: str, modules: Modules, *, code: bool = True) -> Found:
    """The references in one Python file. A reference that cannot be rewritten with certainty becomes a doubt.

    `code`: whether to look into the programs that the file gives to `python -c`."""
    tree = parsed(text)
    found = Found()
    if tree is None:
        found.doubt(0, "it cannot be parsed")
        return found
    source = PythonSource(text, tree)
    python_strings.find_strings(path, source, modules, found)
    python_strings.find_paths(path, source, modules.moves, found)
    search = _Search(path, source, modules, found)
    for node in source.imports:
        if isinstance(node, ast.Import):
            search.plain(node)
        else:
            search.from_import(node)
    search.attributes()
    if code and "-c" in text and modules.in_string.search(text):
        for start, inner in python_strings.code_strings(source):
            found.add(find_imports(path, inner, modules, code=False), start, text.count("\n", 0, start))
    spans = ordered(found.spans)
    if spans is None or (search.reshaped and parsed(replaced(text, spans)) is None):
        found.withdraw("the rewritten file would not be sure to work")
    return found


class _Search:
    def __init__(self, path: str, source: PythonSource, modules: Modules, found: Found) -> None:
        self.path = path
        self.former = modules.moves.former(path)
        self.here = posixpath.dirname(path)
        self.source = source
        self.modules = modules
        self.moves = modules.moves
        self.found = found
        self.reshaped = False
        """Whether more than names within imports was replaced; if so, the result is parsed again."""
        self.reexports = posixpath.basename(path) == INIT
        self.strings = [span.start for span in found.spans]
        """Where strings are rewritten: what they mention is no use of a name."""

    def plain(self, node: ast.Import) -> None:
        """Handles `import a.b`, `import a.b as c`."""
        for alias in node.names:
            line = alias.lineno - 1
            target = self.modules.stale(self.former, alias.name)
            if target is None:
                self._unmoved(line, alias.name)
                continue
            renamed = self.modules.new_name(self.path, alias.name, target)
            start, _ = self.source.span(alias)
            span = (start, start + len(alias.name))
            if renamed.new == "":
                self.found.dead.add(line)
            elif renamed.other or renamed.why:
                if not renamed.other:
                    self._doubt(line, renamed.why)
            elif renamed.new is not None:
                if self._parent(prefix_of(target.path)) in ("object", "unknown"):
                    self._doubt(line, f"`{alias.name}` is also a name that its package binds")
                elif self.source.text[slice(*span)] != alias.name:
                    self._doubt(line, "the import is written in an unusual way")
                elif len(node.names) == 1 and self._from_package(alias, renamed.new):
                    begin, end = self.source.span(node)
                    parent, _, name = renamed.new.rpartition(".")
                    self.found.rewrite(line, Span(begin, end, f"from {parent} import {name}"))
                else:
                    self._bind(line, span, alias, alias.name, renamed.new)

    def _unmoved(self, line: int, name: str) -> None:
        """Doubts a name that is ambiguous, or whose module stood beside this file before the file was moved."""
        if self.modules.ambiguous(self.former, name):
            self._doubt(line, f"`{name}` could mean several modules")
        elif self.former != self.path:
            before = self.modules.before.resolve(posixpath.dirname(self.former), name)
            lost = before and not self.modules.after.resolve(self.here, name)
            if lost and not self.modules.shadowed(self.former, name, before[0]):
                self._doubt(line, f"`{name}` may not be found from where the file is now")

    def _from_package(self, alias: ast.alias, new: str) -> bool:
        """Whether `import name` can become `from package import name`, so that its uses stay."""
        parent, _, name = new.rpartition(".")
        return bool(parent) and alias.asname is None and alias.name == name

    def _parent(self, prefix: str) -> str:
        """What the package of a module path (before the moves) binds by the module's name."""
        package, name = posixpath.split(prefix)
        init = f"{package}/{INIT}" if package else INIT
        return self.modules.bound(self.moves.moved.get(init, init), name) if package else "no"

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
            if wish == _DEAD:
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
            here = above(posixpath.dirname(self.former), node.level)
            return [] if here is None else [(posixpath.join(here, rest) if rest else here, "")]
        return [(posixpath.join(r, rest), r) for r in self.modules.roots(posixpath.dirname(self.former))]

    def _hits(self, alias: ast.alias, bases: list[tuple[str, str]]) -> list[Hit] | None:
        """What the name could mean before the moves; None if its package decides that in a way that is not certain."""
        hits = []
        for base, root in bases:
            submodule = self.modules.before.module_at(posixpath.join(base, alias.name)) if alias.name != "*" else None
            own = self.modules.before.module_at(base)
            package = own is None or own.endswith(f"/{INIT}")
            if submodule is not None and package:
                bound = self._parent(posixpath.join(base, alias.name))
                if bound == "unknown" and self.moves.is_stale(submodule):
                    return None
                if bound == "object" and own is not None:
                    hits.append(Hit(own, root, False))
                else:
                    hits.append(Hit(submodule, root, True))
            elif own is not None:
                hits.append(Hit(own, root, False))
        return hits

    def _wish(self, node: ast.ImportFrom, alias: ast.alias, bases: list[tuple[str, str]]) -> Wish | None:
        """The new import of the alias; _DEAD if its module was deleted; None if the statement should not be changed (a
        doubt may give the reason)."""
        same = Wish(_spelled(node), alias.name)
        line = node.lineno - 1
        hits = self._hits(alias, bases)
        if hits is None:
            self._doubt(line, f"what `{same.module}` means by `{alias.name}` is not certain")
            return None
        stale = [h for h in hits if self.moves.is_stale(h.path)]
        shifted = node.level > 0 and self.former != self.path
        if not stale and not (shifted and hits):
            if not node.level and node.module:
                self._unmoved(line, node.module)
            return same
        if len({h.path for h in hits}) > 1:
            self._doubt(line, f"`{same.module}` could mean several modules")
            return None
        old, root, is_module = hits[0]
        if not node.level and node.module and not root and node.module.split(".")[0] in sys.stdlib_module_names:
            return same
        now = means_now(self.modules, self.path, node, alias.name, is_module)
        expected = self.moves.moved.get(old, old)
        if now is not None and (now == expected or (stale and self.modules.defines(now, alias.name) is not False)):
            return same
        if now is not None and is_module and stale:
            return same
        if old in self.moves.gone:
            return _DEAD
        wish = self._relocated(node, alias, prefix_of(expected), is_module, old, root)
        if wish is None:
            return None
        if not is_module and alias.name != "*" and self.modules.lost(old, alias.name):
            self._doubt(line, f"{expected} does not define `{alias.name}`")
            return None
        return wish

    def _relocated(
        self, node: ast.ImportFrom, alias: ast.alias, new: str, is_module: bool, old: str, root: str
    ) -> Wish | None:
        """The import of a module now at the module path `new`, or of a name in it, proven by resolving it."""
        line = node.lineno - 1
        parent, name = posixpath.split(new) if is_module else (new, alias.name)
        module: str | None
        if is_module and dotted(name) is None:
            module = None
        elif node.level:
            module = relative_name(self.modules, self.path, parent, node.level)
        else:
            full = ".".join([node.module or "", alias.name]) if is_module else node.module or ""
            target = next(
                (t for t in self.modules.before.resolve(posixpath.dirname(self.former), full) if t.path == old), None
            )
            renamed = None if target is None else self.modules.new_name(self.path, full, target)
            if renamed is None or not renamed.new:
                self._doubt(
                    line,
                    renamed.why
                    if renamed and renamed.why
                    else f"how `{alias.name}` is to be imported now is not certain",
                )
                return None
            module = renamed.new.rpartition(".")[0] if is_module else renamed.new
        if module is None or (
            node.level and not leads_to(self.modules, self.path, module, name if is_module else "", new)
        ):
            self._doubt(line, f"how `{alias.name}` is to be imported now is not certain")
            return None
        return Wish(module, name)

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
                at, stop = self.source.span(alias)
                if alias.asname == wish.name:
                    spans.append(Span(at, stop, wish.name))
                    continue
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
        uses = None if self.reexports else self.source.rebound(old, new, self.strings)
        if uses is not None:
            return [Span(*span, new), *uses]
        return None if "." in old else [Span(*span, f"{new} as {old}")]

    def attributes(self) -> None:
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
            if target.path in self.moves.gone:
                continue  # The name may mean something else.
            line = node.lineno - 1
            bound = self._parent(prefix_of(target.path))
            renamed = self.modules.new_name(self.path, old, target)
            if bound == "object" or renamed.new is None:
                continue  # It is right as it is.
            same = renamed.new.rpartition(".")[0] == ".".join(parts[:-1])
            span = self.source.exact(node, name, old)
            if not same or span is None or bound == "unknown":
                self._doubt(line, f"what `{old}` means now is not certain")
            else:
                self.found.rewrite(line, Span(*span, renamed.new))

    def _doubt(self, line: int, why: str) -> None:
        self.found.doubt(line, why)


def _spelled(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")
