"""Waiting for news of the log by LISTEN: the notice is part of the append, so it comes when the row is visible."""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress

import psycopg

from kairos.eventlog.postgres.session import CHANNEL, connect

RETRY_S = 1.0


class Listener:
    """`wait` sleeps until somebody appended, `wake` was called or the timeout passed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[object] | None = None
        self._woken, self._wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def wait(self, timeout_s: float) -> None:
        """Returns at once where listening only begins now: what came before it is to be read first. While the server
        is away it returns every second, so that the caller meets that itself."""
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = self._listen()
            if self._connection is None:
                self._sleep(min(timeout_s, RETRY_S), -1)
            return
        end = time.monotonic() + timeout_s
        try:
            while not self._heard() and not self._sleep(end - time.monotonic(), self._connection.fileno()):
                pass
        except psycopg.Error:
            self._drop()

    def wake(self) -> None:
        """Ends the present `wait`, from any thread."""
        with suppress(BlockingIOError):
            os.write(self._wake, b"!")

    def close(self) -> None:
        """Only when nobody waits any more."""
        self._drop()
        for end in (self._woken, self._wake):
            if end >= 0:
                os.close(end)
        self._woken = self._wake = -1

    def _listen(self) -> psycopg.Connection[object] | None:
        try:
            made = connect(self._url)
            row = made.execute(CHANNEL).fetchone()
            made.execute(f'LISTEN "{row[0] if row else ""}"'.encode())
        except psycopg.Error:
            return None
        return made

    def _heard(self) -> bool:
        """Takes every notice that is there."""
        assert self._connection is not None
        heard = False
        self._connection.pgconn.consume_input()
        while self._connection.pgconn.notifies() is not None:
            heard = True
        return heard

    def _sleep(self, seconds: float, descriptor: int) -> bool:
        """True when it is over: woken, or the time has passed; False when there is something to read."""
        if seconds <= 0:
            return True
        watched = [self._woken, *([descriptor] if descriptor >= 0 else [])]
        ready, _, _ = select.select(watched, [], [], seconds)
        if self._woken in ready:
            with suppress(BlockingIOError):
                os.read(self._woken, 1024)
            return True
        return not ready

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None
