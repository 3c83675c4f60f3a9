"""Tells whether a change takes imports out of their order: adjacent lines of one kind that were sorted before it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence

from kairos.detectors.patching import Span, replaced

_KINDS = {
    ".py": r"(?:from|import)[ \t]+(.+)", ".go": r"(?:import[ \t]+)?[\w.]*[ \t]*(\"[^\"]+\")$",
    ".java": r"import[ \t]+(?:static[ \t]+)?(.+);$", ".rs": r"(?:pub(?:\([^()]*\))?[ \t]+)?(?:use|mod)[ \t]+(.+);$",
}  # fmt: skip
_LINES = {suffix: re.compile(r"[ \t]*" + kind) for suffix, kind in _KINDS.items()}
_SHORTEST = {".go": 2, ".rs": 2}
"""So many lines tell of an order where a formatter keeps it."""
_TELLING = 3
_ORDERS: tuple[Callable[[str], str], ...] = (str, str.lower)


def is_unsorted_by(path: str, text: str, spans: Sequence[Span]) -> bool:
    """Whether a run of imports in a file was sorted before these spans, which are ordered, are replaced, and is not
    afterwards."""
    suffix = posixpath.splitext(path)[1]
    line = _LINES.get(suffix)
    if line is None or not spans or any("\n" in text[s.start : s.end] or "\n" in s.new for s in spans):
        return False
    both = zip(text.split("\n"), replaced(text, [*spans]).split("\n"), strict=True)
    # An attribute of Rust belongs to the import below it.
    rows = [row for row in both if suffix != ".rs" or not row[0].lstrip().startswith("#[")]
    before, after = [row[0] for row in rows], [row[1] for row in rows]
    for start, stop in _runs(before, line, _SHORTEST.get(suffix, _TELLING)):
        old, new = before[start:stop], after[start:stop]
        held = [order for order in _ORDERS if old == sorted(old, key=order)]
        if old != new and held and not any(new == sorted(new, key=order) for order in held):
            return True
    return False


def _runs(lines: Sequence[str], line: re.Pattern[str], shortest: int) -> Iterator[tuple[int, int]]:
    """(first, end) of each run of at least so many adjacent imports that begin with the same word."""
    start, kind = 0, ""
    for number, text in enumerate([*lines, ""]):
        found = line.match(text.rstrip("\r"))
        here = text[: found.start(1)] if found else ""
        if here != kind:
            if kind and number - start >= shortest:
                yield start, number
            start, kind = number, here
