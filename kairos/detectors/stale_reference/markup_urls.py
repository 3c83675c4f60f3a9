"""Resolves the destinations of HTML and CSS files."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Iterator

from kairos.detectors.stale_reference.destinations import (
    SCHEME,
    STAYS,
    Followed,
    PathReading,
    divided,
    encoded,
    follow,
    unquoted,
)
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.resolving import SourceReference

_TEMPLATE = re.compile(r"\{\{|\{%|<%|\$\{|[<>\n]")


def resolved(
    path: str, parts: list[SourceReference], text: str, moves: Moves, projects: Projects
) -> Iterator[tuple[int, int, Followed]]:
    """(start, end, new form) of every destination; several in a srcset."""
    for part in parts:
        if part.kind == "url":
            yield part.start, part.end, _follow(path, part.value, part.value, "", moves)
        elif part.kind == "attribute":
            quote = text[part.start - 1 : part.start]
            quote = quote if quote in ('"', "'") and text[part.end : part.end + 1] == quote else ""
            for start, end in _written(part, text):
                raw = text[start:end]
                yield start, end, _follow(path, raw, html.unescape(raw), quote, moves)


def _written(part: SourceReference, text: str) -> Iterator[tuple[int, int]]:
    if not part.value.endswith("srcset"):
        yield part.start, part.end
        return
    at = part.start
    for candidate in text[part.start : part.end].split(","):
        url = re.match(r"\s*(\S+)", candidate)
        if url is not None:
            yield at + url.start(1), at + url.end(1)
        at += len(candidate) + 1


def _follow(path: str, raw: str, link: str, quote: str, moves: Moves) -> Followed:
    """What became of a destination, from the file or, with a leading slash, from the root of the tree."""
    if SCHEME.match(link) or _TEMPLATE.search(link):
        return STAYS
    name = unquoted(divided(link)[0])
    before, here = posixpath.dirname(moves.former(path)), posixpath.dirname(path)
    rooted = name.startswith("/")
    followed = follow(name, [PathReading("", "", "root") if rooted else PathReading(before, here, "relative")], moves)
    if not followed.new:
        return followed
    return followed._replace(new=encoded(followed.new, raw, "attribute", quote) + divided(raw)[1])
