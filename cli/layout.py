"""Text for a terminal: styles as marks inside the text, columns, and lines that fit a width. Prints nothing.

A styled text carries one private-use character before and one behind each styled part; `render` turns them into
colours or drops them at the very end, so that no text from outside can be a style.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kairos.domain.inert import escape

STYLES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "cyan": "36",
    "reverse": "7",
}
OPEN = {name: chr(0xF0000 + i) for i, name in enumerate(STYLES)}
CLOSE = chr(0xF00FF)
MARKS = {mark: f"\x1b[{STYLES[name]}m" for name, mark in OPEN.items()} | {CLOSE: "\x1b[0m"}
LEAST, MOST = 20, 4_000
"""The fewest columns that are used, whatever the terminal says; and the most."""
_GAP = "  "
_SHORT = 13
"""A column of at most this width is never wrapped."""
_READABLE = 16
"""A wrapped column of fewer columns than this is hard to read; its cells go on lines of their own instead."""
_HANGING = "    "


class Styled(NamedTuple):
    """A table cell with a style."""

    text: str
    style: str


Cell = str | Styled


def paint(text: str, style: str) -> str:
    """Inert text in a style; the style is dropped if colours are off."""
    return f"{OPEN[style]}{escape(text)}{CLOSE}"


def width(text: str) -> int:
    """How many terminal columns a text takes; style marks take none."""
    if text.isascii():
        return len(text)
    return sum(map(_columns_of, text))


def _columns_of(char: str) -> int:
    if char.isascii():
        return 1
    if char in MARKS or unicodedata.category(char) in ("Mn", "Me", "Cf") or "\u1160" <= char <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def wrapped(text: str, columns: int, *, hang: str = "") -> list[str]:
    """The lines of a styled text, each at most `columns` wide; the lines that continue another begin with `hang`.

    Breaks behind a space where one is near, else anywhere. Nothing is left out. Tabs become spaces."""
    columns = max(columns, 2)
    hang = hang if width(hang) <= columns // 2 else ""
    out: list[str] = []
    for line in text.split("\n"):
        out += _pieces(_untabbed(line), columns, hang)
    return out


def _pieces(line: str, columns: int, hang: str) -> Iterator[str]:
    """One line in pieces; a style that is open at a break is closed before it and opened again behind it."""
    style, begun = "", ""
    while width(line) > columns - width(begun):
        cut = _break(line, columns - width(begun))
        head, line = line[:cut], line[cut:]
        piece = f"{begun}{style}{head.rstrip(' ')}"
        style = _open_style(style, head)
        yield piece + (CLOSE if style else "")
        begun = hang
    yield f"{begun}{style}{line}"


def _open_style(style: str, text: str) -> str:
    for char in text:
        if char in MARKS:
            style = "" if char == CLOSE else char
    return style


def _break(line: str, columns: int) -> int:
    """Where to break: behind the last space that fits, if it is in the latter half; else behind what fits."""
    taken, space = 0, 0
    for at, char in enumerate(line):
        taken += _columns_of(char)
        if taken > columns:
            return at + 1 if char == " " else space or max(at, 1)
        if char == " " and taken * 2 > columns:
            space = at + 1
    return len(line)


def _untabbed(line: str) -> str:
    if "\t" not in line:
        return line
    out: list[str] = []
    at = 0
    for char in line:
        shown = " " * (8 - at % 8) if char == "\t" else char
        at += width(shown)
        out.append(shown)
    return "".join(out)


def cut(text: str, columns: int) -> str:
    """A text without styles in at most `columns`, with … in place of its end if it is longer."""
    if width(text) <= columns:
        return text
    taken, kept = 1, ""
    for char in text:
        taken += _columns_of(char)
        if taken > columns:
            break
        kept += char
    return f"{kept}…" if columns > 0 else ""


def table(
    rows: Sequence[Sequence[Cell]], *, indent: str = _GAP, right: Sequence[int] = (), columns: int | None = None
) -> str:
    """Rows as aligned columns, every cell inert; the columns in `right` are right-aligned.

    In `columns` (None: however wide) a long cell goes on below itself; where no column would be wide enough to read,
    each long cell gets lines of its own below its row. Nothing is left out."""
    cells = [[(escape(c.text), c.style) if isinstance(c, Styled) else (escape(c), "") for c in row] for row in rows]
    count = max((len(row) for row in cells), default=0)
    widths = [max((width(row[i][0]) for row in cells if i < len(row)), default=0) for i in range(count)]
    if columns is None or len(indent) + sum(widths) + len(_GAP) * (count - 1) <= columns:
        return "\n".join(_row(row, widths, indent, right) for row in cells)
    columns = max(columns, LEAST)
    fitted = _fitted(widths, columns - len(indent) - len(_GAP) * (count - 1))
    if fitted is None:
        return "\n".join(line for row in cells for line in _stacked(row, widths, indent, columns))
    return "\n".join(_row(line, fitted, indent, right) for row in cells for line in _folded(row, fitted))


def _row(row: Sequence[tuple[str, str]], widths: Sequence[int], indent: str, right: Sequence[int]) -> str:
    parts = []
    for i, (text, style) in enumerate(row):
        gap = " " * (widths[i] - width(text))
        shown = f"{OPEN[style]}{text}{CLOSE}" if style and text else text
        parts.append(gap + shown if i in right else shown if i == len(row) - 1 else shown + gap)
    return (indent + _GAP.join(parts)).rstrip()


def _fitted(widths: Sequence[int], room: int) -> list[int] | None:
    """Widths that fill the room: short columns keep theirs, the others share what is left. None if too little is."""
    long = [i for i, w in enumerate(widths) if w > _SHORT]
    left = room - sum(w for w in widths if w <= _SHORT)
    fitted = list(widths)
    while long:
        share = left // len(long)
        small = [i for i in long if widths[i] <= share]
        if not small:
            for n, i in enumerate(long):
                fitted[i] = share + (n < left % len(long))
            break
        left -= sum(widths[i] for i in small)
        long = [i for i in long if i not in small]
    shares = [fitted[i] for i in range(len(widths)) if fitted[i] < widths[i]]
    return fitted if left >= 0 and all(share >= _READABLE for share in shares) else None


def _folded(row: Sequence[tuple[str, str]], widths: Sequence[int]) -> Iterator[list[tuple[str, str]]]:
    """The lines of a row whose long cells go on below themselves."""
    parts = [wrapped(text, max(widths[i], 2)) for i, (text, _) in enumerate(row)]
    for n in range(max(map(len, parts), default=0)):
        yield [(part[n] if n < len(part) else "", row[i][1]) for i, part in enumerate(parts)]


def _stacked(row: Sequence[tuple[str, str]], widths: Sequence[int], indent: str, columns: int) -> Iterator[str]:
    """A row whose first cell, which names it, and short cells stand on one line, and each long cell on lines of its own
    below; where the first is too long for that, it stands alone above."""
    short = [i for i in range(len(row)) if widths[i] <= _SHORT]
    named = [0, *(i for i in short if i)]
    if len(indent) + sum(widths[i] for i in named) + len(_GAP) * (len(named) - 1) <= columns:
        short = named
    elif row and row[0][0] and 0 not in short:
        text, style = row[0]
        yield from wrapped(f"{indent}{OPEN[style]}{text}{CLOSE}" if style else indent + text, columns, hang=indent)
        row = [("", ""), *row[1:]]
    head = _row([row[i] for i in short], [widths[i] for i in short], indent, ())
    if head.strip():
        yield from wrapped(head, columns, hang=indent)
    for i, (text, style) in enumerate(row):
        if i not in short and text:
            shown = f"{OPEN[style]}{text}{CLOSE}" if style else text
            inner = indent + (_HANGING if short else "")
            yield from (inner + line for line in wrapped(shown, max(columns - len(inner), 2)))
