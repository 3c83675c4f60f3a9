"""Which lines of a long text have been on the screen, however it was laid out, folded or scrolled meanwhile. Pure.

A line counts as seen when all of its rows have been on the screen. A line is known by its part and its place in it, so
that another width, or a part that is folded and unfolded, changes nothing. If the number of lines of a part changes, it
is another part and none of it was seen.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class LineId(NamedTuple):
    """A line: the name of its part, how many lines that has, and which of them it is."""

    part: str
    of: int
    at: int


class LaidLine(NamedTuple):
    """A line as it is laid out: in the rows from `first` up to but not including `end`."""

    id: LineId
    first: int
    end: int


class PartLines(NamedTuple):
    """A part by its name, each line as the rows that it takes; one without rows is not shown and needs not be seen."""

    name: str
    lines: Sequence[Sequence[str]]


def laid_out(parts: Sequence[PartLines]) -> list[LaidLine]:
    """Where each line is when the parts follow each other. Lines without rows are left out."""
    return list(_laid(parts))


def _laid(parts: Sequence[PartLines]) -> Iterator[LaidLine]:
    row = 0
    for part in parts:
        for at, rows in enumerate(part.lines):
            if rows:
                yield LaidLine(LineId(part.name, len(part.lines), at), row, row + len(rows))
            row += len(rows)


class SeenLines:
    """The lines of one text that have been on the screen."""

    def __init__(self) -> None:
        self._seen: set[LineId] = set()
        self._layout: Sequence[LaidLine] = ()
        self._rows: set[int] = set()

    def look(self, layout: Sequence[LaidLine], top: int, bottom: int) -> None:
        """The rows from `top` up to but not including `bottom` of a layout are on the screen."""
        if layout is not self._layout and layout != self._layout:
            self._layout, self._rows = layout, set()
        self._rows.update(range(top, bottom))
        for line in layout[bisect_right(layout, top, key=lambda x: x.end) :]:
            if line.first >= bottom:
                break
            if self._rows.issuperset(range(line.first, line.end)):
                self._seen.add(line.id)

    def unseen(self, layout: Sequence[LaidLine]) -> int:
        """How many lines of a layout have not been on the screen."""
        return sum(line.id not in self._seen for line in layout)

    def first_unseen(self, layout: Sequence[LaidLine]) -> int:
        """The row at which the first line begins that has not been on the screen; -1 if there is none."""
        return next((line.first for line in layout if line.id not in self._seen), -1)

    def unseen_of(self, part: str, lines: int) -> int:
        """How many lines of a part, which has so many, have not been on the screen."""
        return sum(LineId(part, lines, at) not in self._seen for at in range(lines))
