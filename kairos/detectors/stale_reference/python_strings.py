"""Finds module names in the strings of Python files: dotted names, entry points, plugins, arguments of commands."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from itertools import pairwise

from kairos.detectors.patching import Span
from kairos.detectors.stale_reference import commands
from kairos.detectors.stale_reference.code_strings import follow_string
from kairos.detectors.stale_reference.layout import INIT
from kairos.detectors.stale_reference.modules import Modules, Renamed
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.python_source import PythonSource
from kairos.detectors.stale_reference.references import Found

NAMERS = frozenset({"import_module", "__import__", "run_module", "find_spec", "importorskip"})
"""Calls whose first argument is the name of a module."""
_PATCHERS = frozenset({"patch", "setattr", "delattr"})
"""Calls whose first argument is a module and an attribute of it."""
_LOGGERS = frozenset({"getLogger", "get_logger", "getChild"})
_LISTS = frozenset({"py_modules", "packages", "pytest_plugins"})
"""Keywords and variables whose strings are module names."""
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?::[A-Za-z_][\w.]*)?")
_ENTRY = re.compile(
    r"(?m)^[ \t]*[\w.+@-]+[ \t]*=[ \t]*([A-Za-z_][\w.]*)(?:[ \t]*:[ \t]*[A-Za-z_][\w.]*)?(?=[ \t]*(?:\[|$))"
)
_LONGEST = 2_000


def find_strings(path: str, source: PythonSource, modules: Modules, found: Found) -> None:
    """Adds the references in strings: dotted names anywhere, single names only where a module name is expected."""
    setup = posixpath.basename(path) == "setup.py"
    if not (modules.word if setup else modules.in_string).search(source.text):
        return
    single, patched, left = _expected(source)
    prose = {id(node.value) for node in source.nodes if isinstance(node, ast.Expr)}
    for node in source.nodes:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in prose:
            continue
        value, line = node.value, node.lineno - 1
        if len(value) > _LONGEST or not modules.word.search(value):
            continue
        start = _inside(source, node)
        if _NAME.fullmatch(value) and ("." in value or id(node) in single):
            name = value.partition(":")[0]
            if id(node) in single:
                renamed = modules.renamed(path, name, shortest=1)
            elif id(node) in left:
                renamed = _as_doubt(
                    modules.renamed(path, name, shortest=2), f"the string {value!r} may be a label only"
                )
            else:
                renamed = _checked(path, name, modules, patched=id(node) in patched)
            _put(renamed, name, start, line, found)
        elif setup and "=" in value:
            for m in _ENTRY.finditer(value):
                at = None if start is None else start + m.start(1)
                _put(modules.renamed(path, m[1], shortest=1), m[1], at, line, found)
        elif start is not None:
            found.add(commands.find_modules(path, value, modules), start, line)


def find_paths(path: str, source: PythonSource, moves: Moves, found: Found) -> None:
    """Adds the strings that are exactly the path of a moved file."""
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "/" in node.value[:_LONGEST]:
            followed = follow_string(path, node.value, moves)
            start = _inside(source, node) if followed.new else None
            if start is not None and followed.new:
                found.rewrite(node.lineno - 1, Span(start, start + len(node.value), followed.new))


def _expected(source: PythonSource) -> tuple[set[int], set[int], set[int]]:
    """The constants at which a module name is expected, those that name an attribute, and those that name a logger."""
    single: set[int] = set()
    patched: set[int] = set()
    left: set[int] = set()
    for node in source.nodes:
        match node:
            case ast.Call(func=func, args=args, keywords=keywords):
                called = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
                single |= set(_after_flags(args))
                for keyword in keywords:
                    if keyword.arg in _LISTS:
                        single |= set(_texts(keyword.value))
                if args and called in NAMERS:
                    single.add(id(args[0]))
                elif args and called in _PATCHERS:
                    patched.add(id(args[0]))
                elif args and called in _LOGGERS:
                    left.add(id(args[0]))
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                single |= set(_after_flags(elements))
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in _LISTS:
                single |= set(_texts(value))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name in _LISTS:
                single |= set(_texts(value))
            case ast.AugAssign(target=ast.Name(id=name), value=value) if name in _LISTS:
                single |= set(_texts(value))
            case _:
                pass
    return single, patched, left


def code_strings(source: PythonSource) -> Iterator[tuple[int, str]]:
    """(offset, text) of the strings that follow `"-c"` in a list of arguments: programs for Python."""
    for node in source.nodes:
        elements = (
            node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.List | ast.Tuple) else []
        )
        for flag, code in pairwise(elements):
            if isinstance(flag, ast.Constant) and flag.value == "-c" and isinstance(code, ast.Constant):
                start = _inside(source, code) if isinstance(code.value, str) else None
                if start is not None:
                    yield start, str(code.value)


def _texts(node: ast.expr) -> Iterator[int]:
    elements = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else [node]
    return (id(e) for e in elements if isinstance(e, ast.Constant) and isinstance(e.value, str))


def _after_flags(elements: list[ast.expr]) -> Iterator[int]:
    """The elements that follow `"-m"` in a list of arguments."""
    flags = (isinstance(e, ast.Constant) and e.value == "-m" for e in elements)
    return (id(after) for flag, after in zip(flags, elements[1:], strict=False) if flag)


def _checked(path: str, name: str, modules: Modules, *, patched: bool) -> Renamed:
    """The new form of a dotted string. `package.name` stays if the package binds an object by this name."""
    renamed = modules.renamed(path, name, shortest=1 if patched else 2, defined=not patched)
    if not renamed.new:
        return renamed
    parts = name.split(".")
    for length in range(len(parts), 1, -1):
        prefix = "/".join(parts[:length])
        found = modules.before.resolve(posixpath.dirname(modules.moves.former(path)), prefix.replace("/", "."))
        if found:
            package = posixpath.join(found[0].root, posixpath.dirname(prefix), INIT)
            bound = modules.bound(modules.moves.moved.get(package, package), parts[length - 1])
            if bound in ("object", "unknown") and (patched or length == len(parts)):
                return Renamed(None, f"the string {name!r} may mean what the package binds")
            return renamed
    return renamed


def _as_doubt(renamed: Renamed, why: str) -> Renamed:
    return Renamed(None, why) if renamed.new else renamed._replace(new=None)


def _put(renamed: Renamed, name: str, start: int | None, line: int, found: Found) -> None:
    if renamed.why:
        found.doubt(line, renamed.why)
    elif renamed.new == "":
        found.dead.add(line)
    elif renamed.new is not None and renamed.new != name:
        if start is None:
            found.doubt(line, f"the string names `{name}` in an unusual way")
        else:
            found.rewrite(line, Span(start, start + len(name), renamed.new))


def _inside(source: PythonSource, node: ast.Constant) -> int | None:
    """The offset of the first character of a string that is written as its value; None if it has escapes or parts."""
    start, end = source.span(node)
    written = source.text[start:end]
    for quote in ('"""', "'''", '"', "'"):
        if written == quote + str(node.value) + quote:
            return start + len(quote)
    return None
