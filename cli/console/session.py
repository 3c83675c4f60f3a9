"""The terminal while a command reads single keys: set up on entry, put back on every way out.

Back to how it was: at the end, after an exception, SIGINT, SIGTERM or SIGHUP, and while the program is stopped
(SIGTSTP). After a stop or a change of size the key `redraw` is delivered, and `news` after `tell` to who asks for it.
Bracketed paste is on, so that a terminal marks what is pasted.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType

from cli.console.presses import EOF, NEWS, REDRAW, Decoded, Typed, decode, typed, unfinished
from cli.layout import width
from kairos.domain.inert import escape

_QUIET_S, _BURST_QUIET_S, _REST_S = 0.01, 0.03, 0.1
"""How long to wait for more of what arrives at once: after one byte, after several, and inside an escape sequence. A
finger and a held key are slower than that."""
_PASTE_S = 1.0
"""After this long without input a paste counts as ended, even if the terminal never said so."""
_KEPT = 1 << 16
_PASTE_ON, _PASTE_OFF = b"\x1b[?2004h", b"\x1b[?2004l"
_SCREEN_ON, _SCREEN_OFF = b"\x1b[?1049h\x1b[H", b"\x1b[?1049l"


class Terminal:
    """Context in which the terminal delivers keys at once and without echo. Ctrl-C still interrupts.

    `full`: on a screen of its own, so that what stood there before comes back afterwards."""

    def __init__(self, *, full: bool = False) -> None:
        self._fd = sys.stdin.fileno()
        self.full = full and can_move()
        self._pasting = self._told = self._signalled = False
        self._kept = ""
        self._handlers: dict[int, object] = {}

    def __enter__(self) -> Terminal:
        self._before = termios.tcgetattr(self._fd)
        self._wake, self._woken = os.pipe()
        for end in (self._wake, self._woken):
            os.set_blocking(end, False)
        self._former = signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        for number, handler in (
            (signal.SIGTERM, _end), (signal.SIGHUP, _end), (signal.SIGTSTP, self._stop), (signal.SIGCONT, self._go_on),
            (signal.SIGWINCH, _nothing),
        ):  # fmt: skip
            self._handlers[number] = signal.signal(number, handler)
        self._take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        signal.set_wakeup_fd(self._former)
        self._give_back()
        os.close(self._wake)
        os.close(self._woken)

    def _take(self) -> None:
        tty.setcbreak(self._fd)
        self._control((_SCREEN_ON if self.full else b"") + (_PASTE_ON if can_move() else b""))

    def _give_back(self) -> None:
        self._control((_PASTE_OFF if can_move() else b"") + (_SCREEN_OFF if self.full else b""))
        with suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    def _control(self, codes: bytes) -> None:
        with suppress(OSError, ValueError):  # the terminal is gone
            sys.stdout.flush()
            os.write(sys.stdout.fileno(), codes)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """The terminal as it was before, for another program such as an editor. Ctrl-C is for that program."""
        self._give_back()
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
            self._take()
            self.forget()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._give_back()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._stop)
        self._take()

    def _go_on(self, number: int, frame: FrameType | None) -> None:
        if os.tcgetpgrp(self._fd) == os.getpgrp():  # the shell may have changed the modes meanwhile
            self._take()

    def forget(self, keep: str = "") -> None:
        """Drops keys that were pressed before now: a key decides only what was on screen when it was pressed. `keep`:
        a key that decides nothing; if nothing else was pressed it is the next one."""
        if keep and select.select([self._fd], [], [], 0)[0]:
            pressed = self._burst().decode("utf-8", "replace")
            self._kept = keep if pressed and not pressed.strip(keep) else ""
            return
        with suppress(termios.error):
            termios.tcflush(self._fd, termios.TCIFLUSH)

    def tell(self) -> None:
        """Lets `key` return `news`, from any thread."""
        self._told = True
        with suppress(BlockingIOError):  # it is full, so that there is a byte that wakes
            os.write(self._woken, b"\0")

    def key(self, *, news: bool = False) -> str:
        """The next key by its name in `presses`; `redraw` after a change of size, `eof` at the end of input. `news`:
        return that, too, once after any number of `tell`."""
        while True:
            if self._kept:
                kept, self._kept = self._kept, ""
                return kept
            if news and self._told:
                self._told = False
                return NEWS
            seen = self._arrived()
            if seen is None:
                if self._signalled:
                    return REDRAW
                continue
            if seen.keys:
                return seen.keys[0]

    def line(self, *, pasteable: bool = False, redraw: Callable[[], None] | None = None) -> str | None:
        """A line that is typed and ended with Enter, stripped; None if it was given up with Escape or Ctrl-D.

        `pasteable`: whether pasted text may be part of it; without it a paste that the terminal marks is ignored.
        `redraw` shows the question anew after a change of size."""
        line, shown = Typed(), ""
        while not line.done:
            seen = self._arrived()
            if seen is not None:
                line = typed(line, seen, pasteable=pasteable)
            elif redraw is not None and self._signalled:
                redraw()
                shown = ""
            shown = self._echo(shown, escape(line.text))
        self._control(b"\n")
        return None if line.cancelled else line.text.strip()

    def _echo(self, before: str, now: str) -> str:
        same = next(
            (i for i, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), min(len(before), len(now))
        )
        gone = width(before[same:])
        self._control(("\b" * gone + " " * gone + "\b" * gone + now[same:]).encode("utf-8", "backslashreplace"))
        return now

    def _arrived(self) -> Decoded | None:
        """The meaning of what arrives next, all that comes at once; None after a signal (`_signalled`) or `tell`."""
        while True:
            wait = _PASTE_S if self._pasting else None
            ready = select.select([self._fd, self._wake], [], [], wait)[0]
            if self._wake in ready:
                woken = b""
                with suppress(BlockingIOError):
                    woken = os.read(self._wake, 4096)
                self._signalled = woken.strip(b"\0") != b""
                return None
            if not ready:
                self._pasting = False
                continue
            arrived = self._burst()
            if not arrived:
                return Decoded([EOF])
            seen = decode(arrived, self._pasting)
            self._pasting = seen.pasting
            return seen

    def _burst(self) -> bytes:
        """The bytes that arrive at once; the beginning and the end of very many. Empty at the end of input."""
        arrived = bytearray()
        wait = _QUIET_S
        while True:
            try:
                part = os.read(self._fd, 4096)
            except OSError:  # the terminal is gone
                return b""
            if not part:
                return bytes(arrived)
            arrived += part
            if len(arrived) > _KEPT:
                del arrived[_KEPT // 2 : -_KEPT // 4]
            wait = _REST_S if unfinished(bytes(arrived[-32:])) and arrived != b"\x1b" else _BURST_QUIET_S
            wait = _QUIET_S if len(arrived) == 1 and arrived != b"\x1b" else wait
            if not select.select([self._fd], [], [], wait)[0]:
                return bytes(arrived)


def can_move() -> bool:
    """Whether the terminal understands more than lines of text."""
    return os.environ.get("TERM", "") not in ("", "dumb")


def answer(show: Callable[[], None]) -> str | None:
    """One line that a person types to the question that `show` prints; None if they gave it up. What was pressed before
    it was shown, and what is pasted, answers nothing."""
    with Terminal() as terminal:
        terminal.forget()
        show()
        return terminal.line()


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _nothing(number: int, frame: FrameType | None) -> None:
    """A handler, so that the signal wakes whoever waits for a key."""
