"""What part of a long text is on the screen. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple


class Viewport(NamedTuple):
    """The rows from `top` on of a text made of parts, on a screen with so many rows. `starts`: the first row of each
    part."""

    lines: Sequence[str]
    starts: Sequence[int]
    rows: int
    top: int = 0

    @property
    def shown(self) -> Sequence[str]:
        """The rows on the screen."""
        return self.lines[self.top : self.top + self.rows]

    @property
    def bottom(self) -> int:
        """The first row below the screen."""
        return min(self.top + self.rows, len(self.lines))

    @property
    def below(self) -> int:
        """How many rows follow below the screen."""
        return len(self.lines) - self.bottom

    def scrolled(self, by: int) -> Viewport:
        """Moved down by so many rows (up if negative), never beyond either end."""
        return self._replace(top=max(0, min(self.top + by, len(self.lines) - self.rows)))

    def paged(self, pages: int) -> Viewport:
        """Moved by whole screens; one row of the screen before stays in sight."""
        return self.scrolled(pages * max(1, self.rows - 1))

    def part(self, line: int) -> int:
        """The part that a row belongs to."""
        return max(0, bisect_right(self.starts, line) - 1)


def opened(parts: Sequence[Sequence[str]], rows: int) -> Viewport:
    """A text at its beginning, from the rows of its parts."""
    starts, lines = [], list[str]()
    for part in parts:
        starts.append(len(lines))
        lines += part
    return Viewport(lines, starts, max(1, rows))
