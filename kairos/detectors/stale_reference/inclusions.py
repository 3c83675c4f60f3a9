"""Finds the inclusions that tools add to Markdown: mkdocs, mdBook, Jekyll, Hugo, snippets."""

from __future__ import annotations

import posixpath
import re

from kairos.detectors.patching import Lines, Span
from kairos.detectors.stale_reference.destinations import SCHEME, PathReading, follow
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.references import Found

_TAGS = re.compile(
    r"\{!>?[ \t]*(?P<include>[^\s!{}]+)[ \t]*!\}"
    r"|\{\*[ \t]*(?P<lines>[^\s*{}]+)"
    r"|\{\{[ \t]*#\w*(?:include|playground)[ \t]+(?P<book>[^\s:{}]+)"
    r"|\[embedmd\]:# \((?P<embed>[^\s()]+)"
    r"|(?:--8<--|-{2,}8<-{2,})[ \t]+[\"'](?P<snippet>[^\"'\n:]+)"
    r"|\{%-?[ \t]*(?:include[-_\w]*|link)[ \t]+[\"']?(?P<tag>[\w./@+~-]+)"
    r"|\{\{[<%][ \t]*(?:\w*ref|include|code\w*|readfile|figure|img)\b[^{}\n]*?[\"'](?P<short>[^\"'\n]+)[\"']"
)
_SAFE = re.compile(r"[\w./@+~-]+")


def find_inclusions(path: str, text: str, moves: Moves) -> Found:
    """The included files of one Markdown file that were moved or deleted. Each is relative to the file or to a
    directory above it (or `docs` or `src` there): the nearest from which it existed."""
    found = Found()
    if "{" not in text and "8<" not in text and "[embedmd]" not in text:
        return found
    lines = Lines(text)
    bases = _bases(path, moves)
    for m in _TAGS.finditer(text):
        group = m.lastgroup or ""
        name = m[group].partition("#")[0]
        if SCHEME.match(name) or ("/" not in name and "." not in name):
            continue
        number = lines.number(m.start(group))
        followed = follow(name.lstrip("/"), bases, moves)
        if followed.why:
            found.doubt(number, followed.why)
        elif followed.new == "":
            found.dead.add(number)
        elif followed.new is not None:
            at = m.start(group) + len(name) - len(name.lstrip("/"))
            if _SAFE.fullmatch(followed.new):
                found.rewrite(number, Span(at, at + len(name.lstrip("/")), followed.new))
            else:
                found.doubt(number, "the new name is unusual")
    return found


def _bases(path: str, moves: Moves) -> list[PathReading]:
    before, here = posixpath.dirname(moves.former(path)), posixpath.dirname(path)
    found = [PathReading(before, here, "relative")]
    above = here
    while above:
        above = posixpath.dirname(above)
        for base in (above, posixpath.join(above, "docs"), posixpath.join(above, "src")):
            found.append(PathReading(base, base, "relative"))
    return found
