"""Finds what source files of other languages than Python refer to: the parser gives ranges, a resolver the meaning."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from kairos._native import source_references
from kairos.detectors.patching import Lines, Span, ordered, replaced
from kairos.detectors.stale_reference import (
    c_includes,
    go_packages,
    java_types,
    javascript_modules,
    markup_urls,
    rust_modules,
)
from kairos.detectors.stale_reference.code_strings import follow_string
from kairos.detectors.stale_reference.destinations import Followed
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.references import Found
from kairos.detectors.stale_reference.resolving import SourceReference

LANGUAGES = {
    ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript",
    ".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx",
    ".go": "go", ".rs": "rust", ".java": "java", ".c": "c", ".h": "c",
    ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".hh": "cpp", ".hpp": "cpp", ".hxx": "cpp", ".ipp": "cpp",
    ".css": "css", ".html": "html", ".htm": "html",
}  # fmt: skip
SUFFIXES = tuple(LANGUAGES)
SCRIPTS = tuple(s for s, name in LANGUAGES.items() if name in ("javascript", "typescript", "tsx"))
_QUOTED = re.compile(r"(?<=[/\"'`<])[^/\"'`<>?\n]+(?=[/\"'`>?])")
"""What stands between slashes, quotes or angle brackets: where paths in these languages have their words."""
_UP = re.compile(r"[\"'`/]\.\.?/?[\"'`]")
"""A path that ends in `.` or `..`, which may mean an index file."""
_WORDS = frozenset({"path", "use", "name"})
"""Kinds of references that are one word of a path, in Rust and Java."""
BY_PATHS = frozenset({"javascript", "typescript", "tsx", "go", "c", "cpp"})
"""Languages that name other files by paths in quotes."""


class Rewrite(NamedTuple):
    """What a resolver says of one reference: the characters start..end are now to be `followed.new`."""

    start: int
    end: int
    followed: Followed


Resolver = Callable[[str, list[SourceReference], str, Moves, Projects], Iterator[tuple[int, int, Followed]]]

_RESOLVERS: dict[str, Resolver] = {
    "javascript": javascript_modules.resolved, "typescript": javascript_modules.resolved,
    "tsx": javascript_modules.resolved, "go": go_packages.resolved, "rust": rust_modules.resolved,
    "java": java_types.resolved,
    "c": c_includes.resolved, "cpp": c_includes.resolved, "css": markup_urls.resolved, "html": markup_urls.resolved,
}  # fmt: skip


def find_references(path: str, text: str, moves: Moves, projects: Projects) -> Found:
    """The references in one source file.

    The rewritten text is parsed again: unless it refers to the same things but for the rewritten ones, all become
    doubts."""
    found, lines = Found(), Lines(text)
    language = LANGUAGES[posixpath.splitext(path)[1].lower()]
    moved = moves.former(path) != path or "//go:embed" in text
    if language in BY_PATHS and not moved and not may_name(text, moves):
        return found
    try:
        parts = parsed(language, text)
    except ValueError:
        found.doubt(0, "it cannot be parsed")
        return found
    strings = ((p.start, p.end, follow_string(path, p.value, moves)) for p in parts if p.kind == "string")
    rewrites = [Rewrite(*row) for row in _RESOLVERS[language](path, parts, text, moves, projects)]
    rewrites += [Rewrite(*row) for row in strings]
    for start, end, followed in rewrites:
        line = lines.number(start)
        if followed.why:
            found.doubt(line, followed.why)
        elif followed.new == "":
            found.dead.add(line)
        elif followed.new is not None:
            found.rewrite(line, Span(start, end, followed.new))
    prove(language, text, parts, found)
    return found


def may_name(text: str, moves: Moves) -> bool:
    """Whether a text may name what moved: a check that costs a tenth of parsing."""
    words = {word for found in _QUOTED.finditer(text) for word in (found[0], found[0].partition(".")[0] or found[0])}
    return not words.isdisjoint(moves.written) or ("index" in moves.written and _UP.search(text) is not None)


@lru_cache(maxsize=2048)
def parsed(language: str, text: str) -> list[SourceReference]:
    """The references in a text. Kept for the texts that were read last, so that a second look parses what changed."""
    return [SourceReference(*row) for row in source_references(text, language)]


def prove(language: str, text: str, parts: list[SourceReference], found: Found) -> None:
    """Parses the text with all spans replaced, and withdraws them unless nothing else changed."""
    spans = ordered(found.spans)
    if not spans:
        return
    try:
        again = parsed(language, replaced(text, spans))
    except ValueError:
        again = []
    # A path of several words may have become longer or shorter: only whole references are compared.
    kinds = [p.kind for p in parts if p.kind not in _WORDS]
    if kinds != [p.kind for p in again if p.kind not in _WORDS]:
        found.withdraw("the rewritten file would not be the same otherwise")
