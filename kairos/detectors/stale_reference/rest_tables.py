"""Finds the drawn tables of reST: a text in one cannot become longer or shorter without redrawing it."""

from __future__ import annotations

import re

_GRID = re.compile(r"[ \t]*\+(?:[-=]+\+)+[ \t]*$")
_SIMPLE = re.compile(r"[ \t]*=+(?:[ \t]+=+)+[ \t]*$")
_WIDE = 1 << 30


def fixed_columns(text: str) -> dict[int, int]:
    """The lines (0-based) of drawn tables, with the column before which no length may change: in a simple table the
    start of the last column, which may be of any width."""
    lines = [line.rstrip("\r") for line in text.split("\n")]
    found: dict[int, int] = {}
    number = 0
    while number < len(lines):
        stop = number + 1
        if _GRID.match(lines[number]):
            while stop < len(lines) and lines[stop].strip():
                stop += 1
            found |= dict.fromkeys(range(number, stop), _WIDE)
        elif _SIMPLE.match(lines[number]):
            # A table that is not closed is none, or a broken one: every line to the end is as careful.
            while stop < len(lines) and not (_SIMPLE.match(lines[stop]) and _is_blank(lines, stop + 1)):
                stop += 1
            border = lines[number].rstrip()
            found |= dict.fromkeys(range(number, stop), max(border.rfind(" "), border.rfind("\t")) + 1)
            stop += 1
        number = stop
    return found


def _is_blank(lines: list[str], number: int) -> bool:
    return number >= len(lines) or not lines[number].strip()
