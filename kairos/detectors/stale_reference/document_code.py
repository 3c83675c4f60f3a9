"""Finds imports in the fenced programs of a document, in Go, JavaScript, TypeScript, Rust and Java.

What a whole name proves is changed: an import path, a crate, a full name. A relative path means the file that it leads
to from the document only if it names a directory; otherwise a person is told."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kairos.detectors.patching import Lines, Span
from kairos.detectors.stale_reference import code_blocks, go_packages, java_types, javascript_modules, rust_modules
from kairos.detectors.stale_reference.destinations import STAYS, Followed
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.references import Found
from kairos.detectors.stale_reference.resolving import SourceReference
from kairos.detectors.stale_reference.source_files import BY_PATHS, may_name, parsed, prove

LANGUAGES = {
    "go": "go", "golang": "go", "java": "java", "rust": "rust", "rs": "rust", "tsx": "tsx",
    "js": "javascript", "javascript": "javascript", "jsx": "javascript", "mjs": "javascript", "cjs": "javascript",
    "ts": "typescript", "typescript": "typescript", "mts": "typescript", "cts": "typescript",
}  # fmt: skip
_NOWHERE = "\0/examples/it.rs"
"""Where a program of Rust in a document stands: in a crate of its own."""
_IN_DIRECTORY = re.compile(r"(?:\./|(?:\.\./)+)[^./][^/]*/.|(?:\.\./)+[^./]")
_UNCERTAIN = "what an import in a block of code starts from is not certain"

Rows = Iterator[tuple[int, int, Followed]]


def find_in_fence(path: str, text: str, start: int, end: int, moves: Moves, projects: Projects) -> Found:
    """The imports in one fenced block at start..end, and the uses of what they bind; ranges are those of the text."""
    block = code_blocks.fenced(text, start, end, LANGUAGES)
    if block is None:
        return Found()
    code, language = text[slice(*block)], LANGUAGES[code_blocks.language(text, start, end)]
    found, lines = Found(), Lines(code)
    if language in BY_PATHS and not may_name(code, moves):
        return found
    try:
        parts = parsed(language, code)
    except ValueError:
        return found
    for begin, stop, followed in _resolved(language, path, parts, code, moves, projects):
        number = lines.number(begin)
        if followed.why:
            found.doubt(number, followed.why)
        elif followed.new:
            found.rewrite(number, Span(begin, stop, followed.new))
    prove(language, code, parts, found)
    result = Found()
    result.add(found, block[0], text.count("\n", 0, block[0]))
    return result


def _resolved(
    language: str, path: str, parts: list[SourceReference], code: str, moves: Moves, projects: Projects
) -> Rows:
    if language == "go":
        return go_packages.in_document(parts, code, moves, projects)
    if language == "java":
        return java_types.resolved("", [p for p in parts if p.kind != "string"], code, moves, projects)
    if language == "rust":
        return _rust(parts, code, moves, projects)
    return _javascript(path, parts, moves, projects)


def _rust(parts: list[SourceReference], code: str, moves: Moves, projects: Projects) -> Rows:
    parts = [part for part in parts if part.kind in ("use", "path")]
    yield from rust_modules.resolved(_NOWHERE, parts, code, moves, projects)
    within = [part for part in parts if part.value.partition("|")[2].startswith("crate::")]
    for source in sorted({*projects.crates.values()}):
        for start, end, followed in rust_modules.resolved(
            f"{source}/lib.rs".lstrip("/"), within, code, moves, projects
        ):
            if followed is not STAYS:
                yield start, end, Followed(None, _UNCERTAIN)


def _javascript(path: str, parts: list[SourceReference], moves: Moves, projects: Projects) -> Rows:
    for part in (part for part in parts if part.kind == "specifier"):
        followed = javascript_modules.follow_specifier(path, part.value, moves, projects)
        if followed is STAYS or followed.new == "":
            continue
        relative = part.value.startswith(".")
        sure = _IN_DIRECTORY.match(part.value) is not None and moves.former(path) == path
        yield part.start, part.end, Followed(None, _UNCERTAIN) if relative and not sure else followed
