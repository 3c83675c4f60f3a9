"""What part of a long text is on the screen, and how far it was seen. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple


class Viewport(NamedTuple):
    """The lines from `top` on of a text made of parts, on a screen with so many rows. `starts`: the first line of each
    part. `seen`: how many lines from the beginning have been on the screen, without a gap."""

    lines: Sequence[str]
    starts: Sequence[int]
    rows: int
    top: int = 0
    seen: int = 0

    @property
    def shown(self) -> Sequence[str]:
        """The lines on the screen."""
        return self.lines[self.top : self.top + self.rows]

    @property
    def whole(self) -> bool:
        """Whether the end has been on the screen, and everything before it."""
        return self.seen >= len(self.lines)

    @property
    def below(self) -> int:
        """How many lines follow below the screen."""
        return max(0, len(self.lines) - self.top - self.rows)

    def looked(self) -> Viewport:
        """After what is on the screen now was shown. What was jumped over is not seen."""
        bottom = min(self.top + self.rows, len(self.lines))
        return self._replace(seen=bottom) if self.top <= self.seen < bottom else self

    def scrolled(self, by: int) -> Viewport:
        """Moved down by so many lines (up if negative), never beyond either end."""
        return self._replace(top=max(0, min(self.top + by, len(self.lines) - self.rows)))

    def paged(self, pages: int) -> Viewport:
        """Moved by whole screens; one line of the screen before stays in sight."""
        return self.scrolled(pages * max(1, self.rows - 1))

    def part(self, line: int) -> int:
        """The part that a line belongs to."""
        return max(0, bisect_right(self.starts, line) - 1)


def opened(parts: Sequence[Sequence[str]], rows: int) -> Viewport:
    """A text at its beginning, from the lines of its parts."""
    starts, lines = [], list[str]()
    for part in parts:
        starts.append(len(lines))
        lines += part
    return Viewport(lines, starts, max(1, rows))


def relaid(before: Viewport, parts: Sequence[Sequence[str]], rows: int, *, done: int | None = None) -> Viewport:
    """The same parts, laid out anew: for another size of the screen, or with some of them folded.

    The part that was at the top stays there, and a part that was not seen to its end has to be seen again from its
    beginning; but for part `done`, which counts as seen if everything before it was."""
    after = opened(parts, rows)
    if len(after.starts) != len(before.starts):
        return after
    ends = [*after.starts[1:], len(after.lines)]
    seen = len(after.lines) if before.whole else after.starts[before.part(before.seen)]
    top = before.part(before.top)
    if done is not None and before.seen >= before.starts[done]:
        seen = max(seen, ends[done])
        top = max(top, min(done + 1, len(ends) - 1))
    return after._replace(seen=seen).scrolled(after.starts[top] if after.starts else 0)
