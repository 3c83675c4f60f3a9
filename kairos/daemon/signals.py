"""Requests to the main thread, by a signal or by another thread of the process.

Signals arrive as bytes in a pipe. With a Python handler alone, a signal that arrives just before the main thread blocks
would not be noticed until the thread wakes for another reason.
"""

from __future__ import annotations

import os
import signal

STOP = frozenset({signal.SIGTERM, signal.SIGINT})
TICK = signal.SIGUSR1
GO_ON = 0
"""The byte that `go_on` writes; no signal has this number."""


class Asked:
    """Queue of requests to the main thread. Create it there before any slow work: signals are queued from then on."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (*STOP, TICK):
            signal.signal(number, _kept)

    def stop(self) -> None:
        """Asks the main thread to end. May be called from any thread."""
        os.write(self._write, bytes([signal.SIGTERM]))

    def go_on(self) -> None:
        """Ends `waited` in the main thread. May be called from any thread."""
        os.write(self._write, bytes([GO_ON]))

    def waited(self) -> bool:
        """Blocks until `go_on` or a request to stop; returns True for `go_on`, False for stop. Drops ticks, since one
        follows anyway."""
        while True:
            number = os.read(self._read, 1)[0]
            if number == GO_ON or number in STOP:
                return number == GO_ON

    def next(self) -> bool:
        """Blocks until the next request; returns True for a tick, False for stop."""
        while True:
            number = os.read(self._read, 1)[0]
            if number in STOP:
                return False
            if number == TICK:
                return True


def _kept(number: int, frame: object) -> None:
    """Does nothing. Python writes the byte to the pipe only if a handler is installed."""
