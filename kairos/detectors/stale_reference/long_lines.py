"""Leaves out lines that are too long to search: such a line is data, and a search may take the square of its length."""

from __future__ import annotations

import bisect
import posixpath
from typing import NamedTuple

from kairos.detectors.patching import Span
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.references import Found

LONGEST = 4_000
"""Characters of a line that is searched."""
_NAMES = 1_000


class LongLine(NamedTuple):
    """A line (0-based) that is not searched: its text, and where it stood in the shortened text."""

    number: int
    text: str
    at: int


class ShortLines:
    """A text whose long lines are empty; the numbers of its lines stay."""

    def __init__(self, whole: str) -> None:
        self.text = whole
        self.left: list[LongLine] = []
        if len(whole) <= LONGEST:
            return
        kept: list[str] = []
        at = 0
        for number, line in enumerate(whole.split("\n")):
            if len(line) > LONGEST:
                self.left.append(LongLine(number, line, at))
                kept.append("")
            else:
                kept.append(line)
            at += len(kept[-1]) + 1
        if self.left:
            self.text = "\n".join(kept)

    def in_whole(self, found: Found, moves: Moves) -> Found:
        """What was found in the short text, at its place in the whole one, with a doubt for each line that was left
        out and contains the name of something that moved."""
        if not self.left:
            return found
        places = [line.at for line in self.left]
        cut = [0]
        for line in self.left:
            cut.append(cut[-1] + len(line.text))

        def shifted(span: Span) -> Span:
            # A line stands behind each emptied one that starts before it.
            more = cut[bisect.bisect_left(places, span.start)]
            return Span(span.start + more, span.end + more, span.new)

        result = Found(lines=found.lines, count=found.count, dead=found.dead, doubts=found.doubts)
        result.spans = [shifted(span) for span in found.spans]
        for line in self.left:
            if _names(line.text, moves):
                result.doubt(line.number, f"the line has more than {LONGEST} characters and was not searched")
        return result


def _names(text: str, moves: Moves) -> bool:
    """Whether a text contains the name of something that moved, without its suffix; yes, if that is too much to ask."""
    names = {posixpath.splitext(posixpath.basename(old))[0] for old in moves.stale}
    names |= {posixpath.basename(directory) for directory in moves.directories}
    return len(names) > _NAMES or any(name in text for name in names)
