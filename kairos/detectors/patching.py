"""Converts replaced spans of a text to the exact edit of its file."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from typing import NamedTuple

from kairos.domain.action import FileEdit, Hunk, file_state
from kairos.domain.events import name_fields


class Span(NamedTuple):
    """A replacement: the characters start..end of a text become `new`."""

    start: int
    end: int
    new: str


class Lines:
    """The offsets at which the lines of a text start. Lines end with \\n only, as in an edit."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0]
        at = text.find("\n")
        while at >= 0:
            self.starts.append(at + 1)
            at = text.find("\n", at + 1)

    def number(self, offset: int) -> int:
        """The 0-based line of a character offset."""
        return bisect.bisect_right(self.starts, offset) - 1

    def slice(self, first: int, last: int) -> str:
        """The lines first..last, inclusive, with their line endings."""
        stop = self.starts[last + 1] if last + 1 < len(self.starts) else len(self.text)
        return self.text[self.starts[first] : stop]


def ordered(spans: Iterable[Span]) -> list[Span] | None:
    """The spans sorted and without duplicates; None if two overlap."""
    out: list[Span] = []
    for span in sorted(set(spans)):
        if out and span.start < out[-1].end:
            return None
        out.append(span)
    return out


def replaced(text: str, spans: Iterable[Span]) -> str:
    """The text with ordered, disjoint spans replaced."""
    parts, last = [], 0
    for span in spans:
        parts += [text[last : span.start], span.new]
        last = span.end
    return "".join(parts) + text[last:]


def spliced(path: str, content: bytes, mode: int, spans: list[Span]) -> FileEdit:
    """The edit of a UTF-8 file for ordered, disjoint spans: one hunk for each run of changed lines.

    It is computed from the spans, not from a diff of two texts, so it is exact and takes linear time."""
    text = content.decode("utf-8")
    lines = Lines(text)
    hunks: list[Hunk] = []
    at = 0
    while at < len(spans):
        first, last, stop = lines.number(spans[at].start), lines.number(max(spans[at].start, spans[at].end - 1)), at + 1
        while stop < len(spans) and lines.number(spans[stop].start) <= last:
            last = max(last, lines.number(max(spans[stop].start, spans[stop].end - 1)))
            stop += 1
        old, base = lines.slice(first, last), lines.starts[first]
        new = replaced(old, [Span(s.start - base, s.end - base, s.new) for s in spans[at:stop]])
        hunks.append(Hunk(start=first, old=_lines(old), new=_lines(new)))
        at = stop
    after = replaced(text, spans).encode("utf-8")
    return FileEdit(**name_fields(path), before=file_state(content, mode), after=file_state(after, mode), hunks=hunks)


def _lines(text: str) -> list[str]:
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
