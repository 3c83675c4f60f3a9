"""Bytes of a log as lines, however they come. Pure."""

from __future__ import annotations

from typing import NamedTuple

from kairos.domain.logs.entries import LONGEST_LINE

_KEPT = 4 * LONGEST_LINE
"""So many bytes of a line are kept until its end comes."""
_MOST_BROKEN = 0.3
"""A line of which more is no text is binary."""


class NumberedLine(NamedTuple):
    """A line, and its number among all lines, from 1."""

    number: int
    text: str


class LogLines:
    """Bytes as lines. Of a line only its first bytes are kept; one that is binary is left out."""

    def __init__(self, *, inside: bool = False) -> None:
        """`inside`: the first bytes are within a line that is not told."""
        self.inside = inside
        self.rest = b""
        """The last line, which has no end yet; the next bytes must begin with it again, or follow it in `take`."""
        self._ended = 0

    def take(self, chunk: bytes) -> list[str]:
        """The lines with text that end in `chunk`, which follows `rest`."""
        return [line.text for line in self.numbered(chunk)]

    def numbered(self, chunk: bytes) -> list[NumberedLine]:
        """As `take`, each line with its number."""
        data = self.rest + chunk
        if self.inside:
            end = data.find(b"\n")
            if end < 0:
                self.rest = b""
                return []
            data, self.inside, self._ended = data[end + 1 :], False, self._ended + 1
        *whole, self.rest = data.split(b"\n")
        out = [NumberedLine(n, line) for n, line in enumerate(map(_text, whole), self._ended + 1) if line]
        self._ended += len(whole)
        if len(self.rest) > _KEPT:  # told now; what follows of it is passed over
            line = _text(self.rest)
            out += [NumberedLine(self._ended + 1, line)] if line else []
            self.rest, self.inside = b"", True
        return out


def _text(line: bytes) -> str:
    """A line as text, empty if it is not text. NULs are what a writer left that did not notice a truncation."""
    line = line[:_KEPT].replace(b"\0", b"").rstrip(b"\r")
    text = line.decode("utf-8", "replace")[:LONGEST_LINE]
    if not text or (text.isascii() and text.isprintable()):
        return text
    broken = sum(c == "\ufffd" or (ord(c) < 32 and c not in "\t\x1b") for c in text)
    return "" if broken > _MOST_BROKEN * len(text) else text
