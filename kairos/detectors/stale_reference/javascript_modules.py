"""Resolves the module specifiers of JavaScript and TypeScript as Node and TypeScript do, and spells them anew."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from kairos.detectors.stale_reference.destinations import STAYS, Followed
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Alias, Projects
from kairos.detectors.stale_reference.resolving import SourceReference, between, joined

_ENDINGS = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".json", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte", ".node")
"""What a specifier may leave out."""
_COMPILED = {".js": (".ts", ".tsx", ".d.ts"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
"""What a suffix may stand for in TypeScript: that of the compiled file."""
_SAFE = re.compile(r"[\w./@+~$()\[\]-]+")
_UP = re.compile(r"(?:\./)?\.\./")


class Form(NamedTuple):
    """How a specifier names a file: `ending` left out, `compiled` the suffix written for another one, `by_directory` by
    the directory of an index file."""

    target: str
    ending: str = ""
    compiled: str = ""
    by_directory: bool = False


def resolved(
    path: str, parts: list[SourceReference], text: str, moves: Moves, projects: Projects
) -> Iterator[tuple[int, int, Followed]]:
    """(start, end, new form) of every specifier."""
    own = [part.value for part in parts if part.kind == "specifier" and _UP.match(part.value)]
    for part in parts:
        if part.kind == "specifier":
            followed = follow_specifier(path, part.value, moves, projects)
            yield part.start, part.end, _as_the_house_goes_up(path, part.value, followed, own, projects)
        elif part.kind == "string" and part.value.startswith(("./", "../")) and not posixpath.splitext(part.value)[1]:
            # A dynamic import through a helper, a mock: only where a moved file was meant.
            followed = follow_specifier(path, part.value, moves, projects)
            if followed.new and moves.is_stale(_meant(path, part.value, moves)):
                yield part.start, part.end, followed


def _as_the_house_goes_up(path: str, written: str, followed: Followed, own: list[str], projects: Projects) -> Followed:
    """A new way up is `./../x` where the other specifiers of the file write that, or, if it has none, nearly all of the
    package. A specifier that went up before keeps its form."""
    if not followed.new or not followed.new.startswith("../") or _UP.match(written):
        return followed
    here, house = [name.startswith("./") for name in own], projects.ways_up(path) if not own else []
    dotted = 2 * sum(here) > len(here) if here else 10 * sum(house) > 9 * len(house)
    return followed._replace(new=f"./{followed.new}") if dotted else followed


def _meant(path: str, written: str, moves: Moves) -> str:
    base = joined(posixpath.dirname(moves.former(path)), written)
    form = find(base, moves.was) if base is not None else None
    return form.target if form else ""


def follow_specifier(path: str, written: str, moves: Moves, projects: Projects) -> Followed:
    """What became of a specifier in the file now at `path`. A query (`?raw`) stays."""
    name, mark, query = written.partition("?")
    if name.startswith(("./", "../")) or name in (".", ".."):
        followed = _relative(path, name, moves, projects)
    elif name.startswith("/") or "!" in name:
        return STAYS
    else:
        followed = _aliased(path, name, moves, projects)
    return followed._replace(new=followed.new + mark + query) if followed.new else followed


def find(base: str, has: Callable[[str], bool]) -> Form | None:
    """The file that a path means, as Node and TypeScript look for it."""
    if base and has(base):
        return Form(base)
    for ending in _ENDINGS if base else ():
        if has(base + ending):
            return Form(base + ending, ending)
    stem, suffix = posixpath.splitext(base)
    for ending in _COMPILED.get(suffix, ()):
        if has(stem + ending):
            return Form(stem + ending, ending, suffix)
    for ending in _ENDINGS:
        index = f"{base}/index{ending}" if base else f"index{ending}"
        if has(index):
            return Form(index, ending, by_directory=True)
    return None


def _relative(path: str, name: str, moves: Moves, projects: Projects) -> Followed:
    before, here = posixpath.dirname(moves.former(path)), posixpath.dirname(path)
    base = joined(before, name)
    form = find(base, moves.was) if base is not None else None
    if form is None or (form.by_directory and base is not None and projects.states_entry(base)):
        return STAYS
    target = moves.moved.get(form.target, form.target)
    standing = joined(here, name)
    now = find(standing, moves.now.__contains__) if standing is not None else None
    if form.target in moves.gone:
        return STAYS if now else Followed("")
    if now is not None:
        return STAYS if now.target == target else Followed(None, f"`{name}` now means {now.target}")
    for spelled in _spellings(form, target):
        new = between(spelled, here)
        new = new if new.startswith("../") or new in (".", "..") else f"./{new}"
        if name.startswith("./..") and new.startswith(".."):
            new = f"./{new}"
        if name.endswith("/") and form.by_directory and not new.endswith("/"):
            new += "/"
        again = joined(here, new)
        proof = find(again, moves.now.__contains__) if again is not None else None
        if proof is not None and proof.target == target and _SAFE.fullmatch(new):
            return Followed(new, "", target)
    return Followed(None, f"how {target} is to be imported now is not certain")


def _spellings(form: Form, target: str) -> Iterator[str]:
    """A path as it may be written, in the style of `form`, the likeliest first."""
    ending = next((e for e in sorted(_ENDINGS, key=len, reverse=True) if target.endswith(e)), "")
    stem = target.removesuffix(ending)
    if form.compiled:
        yield stem + next((c for c, real in _COMPILED.items() if ending in real), ending)
        return
    if form.ending or form.by_directory:
        if posixpath.basename(stem) == "index" and not (
            not form.by_directory and posixpath.basename(form.target) == f"index{form.ending}"
        ):
            yield posixpath.dirname(stem) or "."
        yield stem
    yield target


def _aliased(path: str, name: str, moves: Moves, projects: Projects) -> Followed:
    """A specifier by an alias or the base directory of tsconfig.json, or by the name of a package in the tree. One word
    may be a package or a module of Node, which are not looked for in the base directory."""
    for alias in projects.aliases:
        if not alias.name and "/" not in name:
            continue
        if name.startswith(alias.name) and (not alias.below or path.startswith(alias.below + "/")):
            former = _former_directory(alias, moves)
            form = find(former + name[len(alias.name) :], moves.was)
            if form is not None:
                return _below_alias(alias, name, form, moves)
    return STAYS


def _former_directory(alias: Alias, moves: Moves) -> str:
    """Where the directory of an alias was: it is stated in the tree now."""
    now = alias.directory.rstrip("/")
    return next((f"{old}/" for old, new in moves.directories.items() if new == now), alias.directory)


def _below_alias(alias: Alias, name: str, form: Form, moves: Moves) -> Followed:
    target = moves.moved.get(form.target, form.target)
    now = find(alias.directory + name[len(alias.name) :], moves.now.__contains__)
    if form.target in moves.gone:
        return STAYS if now else Followed("")
    if now is not None:
        return STAYS
    for spelled in _spellings(form, target):
        if spelled.startswith(alias.directory):
            new = alias.name + spelled[len(alias.directory) :]
            proof = find(alias.directory + new[len(alias.name) :], moves.now.__contains__)
            if proof is not None and proof.target == target and _SAFE.fullmatch(new):
                return Followed(new, "", target)
    return Followed(None, f"{target} is no longer below `{alias.name}`")
