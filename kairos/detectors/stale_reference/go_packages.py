"""Resolves Go's import paths to the directories of packages, and spells anew what a move changes: paths, the names of
packages at their uses, package clauses and embedded files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from kairos.detectors.stale_reference.destinations import STAYS, Followed, PathReading, follow
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.resolving import SourceReference

_WORD = re.compile(r"\S+")
_EMBEDDED = re.compile(r"(?:all:)?([\w.@+~-]+(?:/[\w.@+~-]+)*)")
_VERSION = re.compile(r"v\d+")
_CONSTRAINED = re.compile(r"(?m)^//(?:go:build|[ \t]*\+build)\b")
_UNREAD = re.compile(
    r'"(?:[^"\\\n]|\\.)*+(?:"|$)|`[^`]*+(?:`|\Z)|\'(?:[^\'\\\n]|\\.)*+(?:\'|$)|//[^\n]*+|/\*.*?(?:\*/|\Z)',
    re.DOTALL | re.MULTILINE,
)
"""Strings and comments."""

Rows = Iterator[tuple[int, int, Followed]]


class Imported(NamedTuple):
    """An import of a package that moved: `name` and `new` are what its clause calls it, before and now."""

    part: SourceReference
    followed: Followed
    name: str
    new: str


def resolved(path: str, parts: list[SourceReference], text: str, moves: Moves, projects: Projects) -> Rows:
    """(start, end, new form) of every import path, of the names of packages that are called otherwise now, of the
    package clause and of embedded files."""
    for part in parts:
        if part.kind == "embed":
            yield from _embedded(path, part, moves)
        elif part.kind == "package":
            yield part.start, part.end, _clause(path, part.value, text, moves, projects)
        elif part.kind == "import":
            followed = follow_import(part.value, moves, projects)
            if followed.new:
                yield from _uses(path, _imported(part, followed, moves, projects), parts, text)
            else:
                yield part.start, part.end, followed


def in_document(parts: list[SourceReference], text: str, moves: Moves, projects: Projects) -> Rows:
    """The same of the imports of a program that belongs to no package of the tree."""
    for part in (p for p in parts if p.kind == "import"):
        followed = follow_import(part.value, moves, projects)
        if followed.new:
            yield from _uses("", _imported(part, followed, moves, projects), parts, text)
        else:
            yield part.start, part.end, followed


def follow_import(name: str, moves: Moves, projects: Projects) -> Followed:
    """What became of an import path. It follows only a package whose files all moved into one directory of a module."""
    directory = _directory(name, projects)
    if directory is None or (directory, ".go") in moves.sources_now or directory not in moves.go_packages_moved:
        return STAYS
    news = moves.go_packages_moved[directory]
    if not news:
        return Followed("")
    if len(news) > 1:
        return Followed(None, "its package was divided")
    new = next(iter(news))
    for module, root in projects.go_modules:
        if not root or new == root or new.startswith(root + "/"):
            rest = new[len(root) + 1 if root else 0 :]
            return Followed(f"{module}/{rest}" if rest else module, "", new)
    return Followed(None, f"{new} belongs to no module")


def _directory(name: str, projects: Projects) -> str | None:
    """The directory of a package, if it belongs to a module of the tree."""
    for module, root in projects.go_modules:
        if name == module or name.startswith(module + "/"):
            return posixpath.normpath(posixpath.join(root, name[len(module) + 1 :])).removeprefix(".").lstrip("/")
    return None


def _imported(part: SourceReference, followed: Followed, moves: Moves, projects: Projects) -> Imported:
    """What the package of an import was called, as its unchanged files say, else its path; and what it is called."""
    directory = _directory(part.value, projects)
    same = [new for old, new in moves.moved.items() if posixpath.dirname(old) == directory and old not in moves.altered]
    words = part.value.split("/")
    last = words[-2] if _VERSION.fullmatch(words[-1]) and len(words) > 1 else words[-1]
    names = {name for new in same if (name := projects.go_package(new))}
    now = names_in(followed.target, moves, projects)
    return Imported(part, followed, names.pop() if len(names) == 1 else last, now.pop() if len(now) == 1 else "")


def names_in(directory: str, moves: Moves, projects: Projects) -> set[str]:
    """What the files of a directory call their package; the name of those that stood there before, if any did."""
    for files in (moves.settled(directory, ".go"), moves.sources_now.get((directory, ".go"), [])):
        names = {name for f in files if not f.endswith("_test.go") and (name := projects.go_package(f))}
        if names:
            return names
    return set()


def _uses(path: str, found: Imported, parts: list[SourceReference], text: str) -> Rows:
    """The import itself and, if its package is called otherwise now and has no name of its own here, all its uses.
    `path`: "" of a program in a document."""
    start, end, followed = found.part.start, found.part.end, found.followed
    if path and posixpath.dirname(path) == followed.target and not _is_outside(path, parts):
        yield start, end, Followed(None, "it would import its own package")
        return
    if any(p.kind == "import" and p.value == followed.new for p in parts):
        yield start, end, Followed(None, f"`{followed.new}` is imported already")
        return
    if not found.new:
        yield start, end, Followed(None, f"what the package of {followed.target} is called is not certain")
        return
    uses = [p for p in parts if p.kind == "qualifier" and p.value == found.name]
    if found.new == found.name or not uses or _is_named(found.part, parts, text):
        yield start, end, followed
    elif _is_used((found.new, found.name), uses, text):
        why = f"`{found.name}` is called `{found.new}` now, and the file uses one of both for something else"
        yield start, end, Followed(None, why)
    else:
        yield start, end, followed
        for use in uses:
            yield use.start, use.end, Followed(found.new, "", followed.target)


def _is_outside(path: str, parts: list[SourceReference]) -> bool:
    """Whether a file is a test from outside of the package that it stands beside, which it may import."""
    return path.endswith("_test.go") and any(p.kind == "package" and p.value.endswith("_test") for p in parts)


def _is_named(imported: SourceReference, parts: list[SourceReference], text: str) -> bool:
    """Whether an import gives its package a name: another one, `.` or `_`."""
    before = text[: imported.start - 1].rstrip(" \t")
    named = any(p.kind == "alias" and p.end == len(before) for p in parts)
    return named or re.search(r"[\s;(][._]\Z", before[-2:]) is not None


def _is_used(names: tuple[str, str], uses: list[SourceReference], text: str) -> bool:
    """Whether code has one of two names elsewhere than in `uses`; a field after a dot is no use of it."""
    known = {use.start for use in uses}
    code = _UNREAD.sub(lambda m: " " * len(m[0]), text)
    words = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, names))})(?!\w)")
    return any(m.start() not in known for m in words.finditer(code))


def _clause(path: str, name: str, text: str, moves: Moves, projects: Projects) -> Followed:
    """What the package clause of a moved file is to say: a directory has one package, that of the files that were
    there before; their tests may have another of the same name with `_test`."""
    others = moves.settled(posixpath.dirname(path), ".go")
    if moves.former(path) == path or not others or _CONSTRAINED.search(text) or name in ("main", "documentation"):
        return STAYS
    names = {n.removesuffix("_test") if f.endswith("_test.go") else n for f in others if (n := projects.go_package(f))}
    outside = path.endswith("_test.go") and name.endswith("_test")
    if len(names) != 1:
        return Followed(None, f"what the package of {posixpath.dirname(path)} is called is not certain")
    wanted = names.pop() + ("_test" if outside else "")
    return STAYS if wanted == name else Followed(wanted, "", path)


def _embedded(path: str, part: SourceReference, moves: Moves) -> Rows:
    """The files that a `//go:embed` names, which are below the directory of the file. Patterns stay."""
    before, here = posixpath.dirname(moves.former(path)), posixpath.dirname(path)
    for word in list(_WORD.finditer(part.value))[1:]:
        named = _EMBEDDED.fullmatch(word[0])
        if named is None:
            continue
        followed = follow(named[1], [PathReading(before, here, "relative")], moves)
        if followed.new and (followed.new.startswith(".") or not _EMBEDDED.fullmatch(followed.new)):
            followed = Followed(None, f"{followed.target} cannot be embedded from here")
        at = part.start + word.start() + named.start(1)
        yield at, at + len(named[1]), followed
