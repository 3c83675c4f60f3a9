"""Single keys from a terminal, without Enter."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from types import TracebackType

QUIT = "q"
_ESCAPE = "\x1b"


class Keys:
    """Context in which the terminal delivers each key at once without echo. Ctrl-C still interrupts."""

    def __init__(self) -> None:
        self._fd = sys.stdin.fileno()

    def __enter__(self) -> Keys:
        self._before = termios.tcgetattr(self._fd)
        tty.setcbreak(self._fd)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    def forget(self) -> None:
        """Drops keys that were pressed before now: a key decides only what was on screen when it was pressed."""
        termios.tcflush(self._fd, termios.TCIFLUSH)

    def key(self) -> str:
        """The next key; `q` at the end of input, empty for arrow keys and similar."""
        raw = os.read(self._fd, 1)
        if raw in (b"", b"\x04"):
            return QUIT
        if raw == _ESCAPE.encode():
            self._skip_sequence()
            return ""
        return raw.decode("ascii", "ignore")

    def _skip_sequence(self) -> None:
        """Discards the rest of an escape sequence: `[` or `O`, parameters, one final byte (ECMA-48, 5.4)."""
        begun = False
        while select.select([self._fd], [], [], 0.02)[0]:
            raw = os.read(self._fd, 1)
            if not begun and raw in (b"[", b"O"):
                begun = True
            elif not raw or not begun or 0x40 <= raw[0] <= 0x7E:
                return

    def line(self) -> str:
        """A line typed in the normal mode of the terminal: echoed, editable, ended with Enter."""
        termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)
        try:
            parts = bytearray()
            while not parts.endswith(b"\n"):
                block = os.read(self._fd, 4096)
                if not block:
                    break
                parts += block
            return parts.decode("utf-8", "replace").strip()
        finally:
            tty.setcbreak(self._fd)
