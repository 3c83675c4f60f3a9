"""What the main thread is asked to do, by a signal or by another thread of ours.

Signals arrive as bytes in a pipe. A handler that only ran Python could be noticed one instruction too late: just
before the main thread falls asleep, for as long as it sleeps.
"""

from __future__ import annotations

import os
import signal

STOP = frozenset({signal.SIGTERM, signal.SIGINT})
TICK = signal.SIGUSR1
GO_ON = 0
"""No signal has this number."""


class Asked:
    """Take it in the main thread, before anything slow begins: from then on signals are kept."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (*STOP, TICK):
            signal.signal(number, _kept)

    def stop(self) -> None:
        """Asks the main thread to end, from any thread."""
        os.write(self._write, bytes([signal.SIGTERM]))

    def go_on(self) -> None:
        """Ends the main thread's wait for it, from any thread."""
        os.write(self._write, bytes([GO_ON]))

    def waited(self) -> bool:
        """Blocks until `go_on`: True; False if it was asked to stop before. A tick comes then anyway."""
        while True:
            number = os.read(self._read, 1)[0]
            if number == GO_ON or number in STOP:
                return number == GO_ON

    def next(self) -> bool:
        """Blocks until something is asked: True for a tick, False to stop."""
        while True:
            number = os.read(self._read, 1)[0]
            if number in STOP:
                return False
            if number == TICK:
                return True


def _kept(number: int, frame: object) -> None:
    """The byte in the pipe is what counts; a handler must be there for it to be written."""
