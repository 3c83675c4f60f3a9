"""What the bytes that a terminal sends mean: a key, or nothing. Pure.

One byte, one UTF-8 character or a known escape sequence is a key. Anything longer that arrives at once is pasted text
and no key, even if it begins with one; so is everything between the marks of a bracketed paste.
"""

from __future__ import annotations

import re
from typing import NamedTuple

ENTER, SPACE, ESCAPE, BACKSPACE, EOF = "enter", "space", "esc", "backspace", "eof"
REDRAW = "redraw"
"""No key: the size of the terminal changed, or the program continues after a stop."""
NEWS = "news"
"""No key: something was said to `Terminal.tell`."""
UP, DOWN, PAGE_UP, PAGE_DOWN, HOME, END = "up", "down", "pgup", "pgdn", "home", "end"
ERASE_LINE, ERASE_WORD = "ctrl-u", "ctrl-w"
PASTE_BEGINS, PASTE_ENDS = b"\x1b[200~", b"\x1b[201~"
_ONE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~])")
"""An escape sequence: a control sequence (ECMA-48, 5.4), or a function key in application mode (SS3)."""
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")
_NAMED = {
    "\r": ENTER, "\n": ENTER, " ": SPACE, "\x04": EOF, "\x7f": BACKSPACE, "\x08": BACKSPACE, "\x1b": ESCAPE,
    "\x15": ERASE_LINE, "\x17": ERASE_WORD,
}  # fmt: skip
_SEQUENCES = {
    b"\x1b[A": UP, b"\x1bOA": UP, b"\x1b[B": DOWN, b"\x1bOB": DOWN, b"\x1b[5~": PAGE_UP, b"\x1b[6~": PAGE_DOWN,
    b"\x1b[H": HOME, b"\x1bOH": HOME, b"\x1b[1~": HOME, b"\x1b[7~": HOME,
    b"\x1b[F": END, b"\x1bOF": END, b"\x1b[4~": END, b"\x1b[8~": END,
}  # fmt: skip


class Decoded(NamedTuple):
    """The keys in what arrived at once, and the pasted text (None if there was none). `marked`: the terminal said so;
    `pasting`: and its end has not come yet."""

    keys: list[str]
    pasted: str | None = None
    marked: bool = False
    pasting: bool = False


def decode(arrived: bytes, pasting: bool = False) -> Decoded:
    """The meaning of bytes that arrived at once. `pasting`: a bracketed paste was begun before and has not ended."""
    if pasting or PASTE_BEGINS in arrived:
        return _bracketed(arrived, pasting)
    sequences = _ONE.findall(arrived)
    if sequences and b"".join(sequences) == arrived:
        return Decoded([_SEQUENCES[s] for s in sequences if s in _SEQUENCES])
    try:
        text = arrived.decode("utf-8")
    except UnicodeDecodeError:
        return Decoded([])
    if len(text) == 1:
        known = _NAMED.get(text, text if text.isprintable() else "")
        return Decoded([known] if known else [])
    return Decoded([], text)


def _bracketed(arrived: bytes, pasting: bool) -> Decoded:
    """Nothing that arrives together with a paste is a key: it may be a part of it."""
    inner = arrived if pasting else arrived.partition(PASTE_BEGINS)[2]
    inner, ended, _ = inner.partition(PASTE_ENDS)
    return Decoded([], inner.decode("utf-8", "replace"), marked=True, pasting=not ended)


def unfinished(arrived: bytes) -> bool:
    """Whether the bytes end inside an escape sequence, so that its rest is to be waited for."""
    return _UNFINISHED.search(arrived) is not None


class Typed(NamedTuple):
    """A line as typed so far. `done`: Enter was pressed, or (`cancelled`) Escape or the end of input."""

    text: str = ""
    done: bool = False
    cancelled: bool = False


def typed(line: Typed, seen: Decoded, *, pasteable: bool) -> Typed:
    """The line after what arrived at once.

    `pasteable`: pasted text becomes part of it, in one line. Without it a paste is refused, except that one whole line
    with its Enter counts as typed where the terminal does not mark pastes: that is how programs answer."""
    for key in seen.keys:
        match key:
            case "enter":
                return line._replace(done=True)
            case "esc" | "eof":
                return Typed("", done=True, cancelled=True)
            case "backspace":
                line = line._replace(text=line.text[:-1])
            case "ctrl-u":
                line = line._replace(text="")
            case "ctrl-w":
                line = line._replace(text=line.text.rstrip().rpartition(" ")[0])
            case "space":
                line = line._replace(text=f"{line.text} ")
            case _ if len(key) == 1:
                line = line._replace(text=line.text + key)
    return line if seen.pasted is None else _with_pasted(line, seen, pasteable)


def _with_pasted(line: Typed, seen: Decoded, pasteable: bool) -> Typed:
    text = (seen.pasted or "").replace("\r\n", "\n").replace("\r", "\n")
    if not seen.marked and text.count("\n") == 1 and text.endswith("\n") and text[:-1].isprintable():
        return Typed(line.text + text[:-1], done=True)
    if not pasteable:
        return line
    return line._replace(text=line.text + "".join(c if c.isprintable() else " " for c in text))
