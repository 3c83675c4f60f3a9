"""Lists the tracked files that still name an old path in a place that no search looked at."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from kairos.detectors.maintained import kept_by_hand
from kairos.detectors.patching import Lines
from kairos.detectors.scene import Scene
from kairos.detectors.stale_reference import directives, markdown_links
from kairos.detectors.stale_reference.layout import INIT
from kairos.detectors.stale_reference.modules import dotted, prefix_of
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.references import Found
from kairos.domain.amounts import count
from kairos.domain.inert import shown
from kairos.repo.search import only_in

_NEEDLES, _PER_FILE, _MOST = 100, 40, 2_000
_TOLD = 200
"""So many mentions are listed; the others are counted."""
_PROSE = (*markdown_links.SUFFIXES, *directives.SUFFIXES, ".txt", ".adoc")


class Mention(NamedTuple):
    """A line (1-based) that contains an old path, or another name of it."""

    path: str
    line: int
    old: str


class _Name(NamedTuple):
    """What a line may call something that moved: `needles` to search for, and the pattern that proves it."""

    name: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]


def mentions(
    scene: Scene, moves: Moves, found: Mapping[str, Found], named: Sequence[str], projects: Projects
) -> list[Mention]:
    """The lines that name an old path as a whole outside of what was found, in files kept by hand. `named`: the files
    that contain its name."""
    paths = [n for old in moves.stale for n in _paths(old)][:_NEEDLES]
    documents = [n for old in moves.stale for n in _documents(old, moves)][:_NEEDLES]
    listed: dict[tuple[str, int], Mention] = {}
    for names, where in (
        (paths, named),
        (_packages(moves), named),
        (_go_packages(moves, projects), named),
        (documents, None),
    ):
        needles = [needle for name in names for needle in name.needles if "\n" not in needle and "\r" not in needle]
        if not needles or where == []:
            continue
        rows = scene.facts.lines_naming(needles, _PER_FILE, (only_in(where) or ()) if where else ())[:_MOST]
        for path, line, text in rows:
            if (path, line) in listed or not kept_by_hand(path) or path in moves.moved.values():
                continue
            name = next((n.name for n in names if n.pattern.search(text)), None)
            if name is None:
                continue
            rest = _unread_part(scene, path, line - 1, text, found.get(path))
            if any(n.name == name and n.pattern.search(rest) for n in names):
                listed[path, line] = Mention(path, line, name)
    return [listed[key] for key in sorted(listed)]


def _unread_part(scene: Scene, path: str, number: int, text: str, known: Found | None) -> str:
    """A line without the references in it that were found: empty if a person is told of it anyway."""
    if known is None:
        return text
    if number in known.dead or any(number == line for line, _ in known.doubts):
        return ""
    whole = scene.text(path)
    if number not in known.lines or whole is None:
        return text
    starts = Lines(whole).starts
    begin = starts[number] if number < len(starts) else len(whole)
    for span in sorted(known.spans, reverse=True):
        start, end = max(span.start - begin, 0), min(span.end - begin, len(text))
        if start < end:
            text = text[:start] + "\0" + text[end:]
    return text


def _paths(old: str) -> Iterator[_Name]:
    """An old path itself, maybe behind a variable; as Windows writes it; of a module in a package, its dotted name."""
    prefix = prefix_of(old.removeprefix("src/")) if old.endswith(".py") else ""
    for name in (old, dotted(prefix) if "/" in prefix else None):
        if name is not None:
            before = r"(?:(?<![\w/.-])|\$\w+[\"']?/|[)}\]\"'%]/)"
            yield _Name(name, (name,), re.compile(rf"{before}{re.escape(name)}(?![\w/-])"))
        if name == old and "/" in old:
            windows = old.replace("/", "\\")
            yield _Name(old, (windows,), re.compile(rf"(?<![\w.-]){re.escape(windows)}(?![\w\\-])"))


def _documents(old: str, moves: Moves) -> Iterator[_Name]:
    """The name of a document as Sphinx knows it, without its suffix: in `pathto`, in a docstring."""
    stem, suffix = posixpath.splitext(old)
    directory = posixpath.dirname(old)
    source = directives.sphinx_source(directory, moves.was)
    if suffix not in (*markdown_links.SUFFIXES, *directives.SUFFIXES) or not moves.was(f"{source}/conf.py".lstrip("/")):
        return
    name = stem[len(source) + 1 :] if source else stem
    needles = (name,) if "/" in name else tuple(f"{mark}{slash}{name}" for mark in "'\"`<" for slash in ("", "/"))
    pattern = rf"(?:pathto\(\s*[\"']|:doc:`(?:[^`<>]*<)?|\{{doc\}}`(?:[^`<>]*<)?)/?{re.escape(name)}(?=[\"'`>#])"
    if "/" in name:
        pattern += rf"|(?<![\w/.-])/?{re.escape(name)}(?=[\"'`>#])"
    yield _Name(name, needles, re.compile(pattern))


def _packages(moves: Moves) -> list[_Name]:
    """The names of packages that are called otherwise now: as a whole string, in code, and in commands. One that
    another directory still has tells nothing."""
    names = []
    for old, new in sorted(moves.moved.items()):
        name = posixpath.basename(posixpath.dirname(old))
        if posixpath.basename(old) == INIT and name and name != posixpath.basename(posixpath.dirname(new)):
            names.append(name)
    still = {posixpath.basename(directory) for directory in moves.directories_now}
    return [_package(name) for name in dict.fromkeys(names) if name not in still and name.isidentifier()][:_NEEDLES]


def _go_packages(moves: Moves, projects: Projects) -> list[_Name]:
    """The import paths of Go packages that are elsewhere now."""
    names = [name for directory in moves.go_packages_left for name in projects.go_names(directory)]
    return [_Name(n, (n,), re.compile(rf"(?<![\w.-]){re.escape(n)}(?![\w-])(?!/\w)")) for n in names[:_NEEDLES]]


def _package(name: str) -> _Name:
    commands = r"--app|--cov|--source|--pyargs|--module|-[mpA]|import|from"
    return _Name(
        name,
        (name,),
        re.compile(
            rf"([\"'`]){name}\1|[\"'`]{name}[/.:]|(?<![\w-])(?:{commands})[ =]+{name}(?![\w-])|(?<![\w/.-]){name}/"
        ),
    )


def unread(listed: Sequence[Mention]) -> list[str]:
    """What a card says of the mentions: the places and why each was not looked at."""
    out = []
    for mention in listed[:_TOLD]:
        prose = posixpath.splitext(mention.path)[1].lower() in _PROSE
        kind = "prose or a code block" if prose else "a comment, a string or a language that is not read"
        out.append(f"{shown(mention.path)}:{mention.line} names {shown(mention.old)}: {kind}, which was not checked")
    if (more := len(listed) - _TOLD) > 0:
        one, many = "more line names an old path and was", "more lines name an old path and were"
        out.append(f"{count(more, one, many)} not checked")
    return out
