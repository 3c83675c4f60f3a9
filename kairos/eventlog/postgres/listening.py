"""Waiting for appends with LISTEN: the notification is part of the append's transaction, so it arrives when the row is
visible.

All followers of a process share one connection; one thread listens on it.
"""

from __future__ import annotations

import os
import select
import threading
from contextlib import closing, suppress
from math import ceil

import psycopg

from kairos.errors import KairosError
from kairos.eventlog.postgres.connecting import CHANNEL, Connection, connect

RETRY_S = 1.0


class Pipe:
    """Wakes a waiting thread. A `wake` while no thread waits ends the next `wait`."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def wake(self) -> None:
        """Ends the present `wait`, or the next. Callable from any thread and from signal handlers."""
        with suppress(BlockingIOError):  # the pipe is full, so the reader wakes anyway
            os.write(self._in, b"!")

    def wait(self, timeout_s: float | None, also: int | None = None) -> None:
        """Sleeps until `wake`, the timeout (s; None: no timeout) or until the descriptor `also` is readable."""
        poll = select.poll()
        for end in filter(None, (self._out, also)):
            poll.register(end, select.POLLIN)
        poll.poll(None if timeout_s is None else max(0, ceil(timeout_s * 1000)))
        with suppress(BlockingIOError):
            os.read(self._out, 1024)

    def close(self) -> None:
        for end in (self._out, self._in):
            os.close(end)
        self._out = self._in = -1


class Listener:
    """The listener of one follower: `wait` sleeps until an append, a call of `wake` or the timeout."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pipe = Pipe()
        self._notices: Notices | None = None
        self._closed = False

    def wait(self, timeout_s: float) -> None:
        """Returns at once when listening has just begun, because earlier appends must be read first. While the server
        is unavailable it returns after at most a second, so that the caller gets the error when it reads."""
        if self._notices is None:
            self._notices = join(self._url, self._pipe)
        if self._notices.away:
            timeout_s = min(timeout_s, RETRY_S)
        self._pipe.wait(timeout_s)

    def wake(self) -> None:
        """Ends the present `wait`, from any thread."""
        self._pipe.wake()

    def close(self) -> None:
        """Closes the listener; safe to repeat. No thread may be in `wait`."""
        if self._closed:
            return
        self._closed = True
        if self._notices is not None:
            leave(self._url, self._pipe)
        self._pipe.close()


class Notices:
    """Listens in a separate thread on a connection that is reopened after a loss, and wakes every pipe of `pipes` at
    each append, when listening begins and when the server becomes unavailable."""

    def __init__(self, url: str) -> None:
        self.pipes: set[Pipe] = set()
        self.away = False
        self._url = url
        self._listening = self._ending = False
        self._own = Pipe()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="listen", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, pipe: Pipe) -> None:
        with self._lock:
            self.pipes.add(pipe)
            if self._listening:
                pipe.wake()

    def remove(self, pipe: Pipe) -> None:
        with self._lock:
            self.pipes.discard(pipe)

    def end(self) -> None:
        """Ends the thread and closes the connection."""
        self._ending = True
        self._own.wake()
        self._thread.join()
        self._own.close()

    def _run(self) -> None:
        while not self._ending:
            try:
                with closing(connect(self._url)) as connection:
                    row = connection.execute(f"SELECT {CHANNEL}".encode()).fetchone()
                    connection.execute(f'LISTEN "{row[0] if row else ""}"'.encode())
                    self._say(listening=True)
                    self._listen(connection)
            except (psycopg.Error, KairosError):  # a woken follower gets the same error
                was_lost = self._listening
                self._say(listening=False)
                self._own.wait(0 if was_lost else RETRY_S)

    def _say(self, *, listening: bool) -> None:
        with self._lock:
            self._listening, self.away = listening, not listening
            for pipe in self.pipes:
                pipe.wake()

    def _listen(self, connection: Connection) -> None:
        """Wakes the pipes at each notification until `end` is called or the connection is lost."""
        while not self._ending:
            connection.pgconn.consume_input()
            heard = False
            while connection.pgconn.notifies() is not None:
                heard = True
            if heard:
                self._say(listening=True)
            self._own.wait(None, connection.fileno())


_notices: dict[str, Notices] = {}
_lock = threading.Lock()


def join(url: str, pipe: Pipe) -> Notices:
    """Registers a pipe to be woken at appends to the log at an address; returns the shared `Notices`."""
    with _lock:
        found = _notices.get(url)
        if found is None:
            found = _notices[url] = Notices(url)
            found.start()
        found.add(pipe)
        return found


def leave(url: str, pipe: Pipe) -> None:
    """Unregisters a pipe. With the last pipe of an address, the connection is closed."""
    with _lock:
        found = _notices[url]
        found.remove(pipe)
        if found.pipes:
            return
        del _notices[url]
    found.end()
