"""The connections of this process to a server: a few, shared by all its logs and threads.

A thread has at most one of a pool at a time: what it asks for while it has one is that same connection. So nobody
holds one while waiting for another, and when all are in use threads wait, but never for each other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import psycopg
from psycopg.pq import TransactionStatus

from kairos.errors import TryAgain
from kairos.eventlog.postgres.address import shown
from kairos.eventlog.postgres.connecting import (
    LOCK_TIMEOUT_S,
    PATIENCE_S,
    Connection,
    connect,
    is_lost,
    psycopg_sql,
    refuse_db_functions,
    refused,
)

SIZE = 6
"""Appends come one after the other and reads are short: with more, twenty repositories would not be faster."""
WAIT_S = LOCK_TIMEOUT_S + 5.0
"""How long a thread waits for a connection: longer than those who have one wait for a lock."""
_AWAY: dict[str, float] = {}
"""Since when (monotonic, s) a server has not answered this process: its threads do not wait for it one by one."""


class _Taken(NamedTuple):
    connection: Connection
    edition: int


class Pool:
    """At most `size` connections in autocommit mode, opened when they are needed; any thread may use it. `settings`:
    SQL to run on each new connection."""

    def __init__(self, url: str, size: int = SIZE, settings: str = "") -> None:
        self.url = url
        self.users = 0
        self.settings = settings
        self._size = self._free = size
        self._idle: list[_Taken] = []
        self._edition = 0
        """Rises when a connection was lost. Those opened before may be lost, too, and only using them would tell."""
        self._change = threading.Condition()
        self._mine = threading.local()
        self._answered = False

    @contextmanager
    def connection(self, first: str = "") -> Iterator[Connection]:
        """The connection that this thread already has, or one for the time being. `first`: SQL that runs on it, and
        once more on another one where that shows that it was lost; only what may happen twice.

        psycopg.OperationalError when the server does not answer: at once the first time, after some patience where it
        answered before, and at once again while the whole process waits for it in vain. TryAgain when all are in use
        for too long."""
        held = self._held()
        if held is not None:
            if first:
                held.execute(first.encode())
            yield held
            return
        taken = self._begun(first)
        self._mine.connection = taken.connection
        try:
            yield taken.connection
        finally:
            self._mine.connection = None
            self._give_back(taken)

    @property
    def in_transaction(self) -> bool:
        """Whether this thread has a connection that is in a transaction."""
        held = self._held()
        return held is not None and held.info.transaction_status != TransactionStatus.IDLE

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement, which runs once more if the connection was lost meanwhile: only what may happen
        twice."""
        for last in (False, True):
            with self.connection() as connection:
                try:
                    cursor = connection.execute(psycopg_sql(sql), parameters)
                    return cursor.fetchall() if cursor.description else []
                except psycopg.OperationalError:
                    if last or not is_lost(connection):
                        raise
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Closes what nobody uses now; the rest is closed when it is given back."""
        with self._change:
            idle = self._outdate()
        _close(idle)

    def _held(self) -> Connection | None:
        return getattr(self._mine, "connection", None)

    def _begun(self, first: str) -> _Taken:
        for last in (False, True):
            taken = self._take()
            try:
                if first:
                    taken.connection.execute(first.encode())
                return taken
            except BaseException as error:
                lost = is_lost(taken.connection)
                self._give_back(taken)
                if last or not lost or not isinstance(error, psycopg.OperationalError):
                    raise
        raise AssertionError("unreachable")

    def _take(self) -> _Taken:
        with self._change:
            if not self._change.wait_for(lambda: self._free, WAIT_S):
                raise TryAgain(
                    f"all {self._size} connections to {shown(self.url)} are in use", "Try again in a moment."
                )
            self._free -= 1
            if self._idle:
                return self._idle.pop()
            edition = self._edition
        try:
            return _Taken(self._connect(), edition)
        except BaseException:
            with self._change:
                self._free += 1
                self._change.notify()
            raise

    def _connect(self) -> Connection:
        while True:
            try:
                made = connect(self.url, self.settings)
            except psycopg.OperationalError as error:
                since = _AWAY.setdefault(self.url, time.monotonic())
                if not self._answered or time.monotonic() - since > PATIENCE_S or refused(str(error)):
                    raise
                time.sleep(0.1)
            else:
                _AWAY.pop(self.url, None)
                self._answered = True
                return made

    def _give_back(self, taken: _Taken) -> None:
        """Keeps a connection for whoever comes next, unless it is not fit for that any more."""
        status = _ended(taken.connection)
        with self._change:
            unfit: list[_Taken] = []
            if status == TransactionStatus.IDLE and taken.edition == self._edition:
                self._idle.append(taken)
            else:
                unfit = [taken, *(self._outdate() if is_lost(taken.connection) else [])]
            self._free += 1
            self._change.notify()
        _close(unfit)

    def _outdate(self) -> list[_Taken]:
        """What is idle, which nobody takes any more; nor what is in use now, once it is given back."""
        self._edition += 1
        idle, self._idle = self._idle, []
        return idle


def _ended(connection: Connection) -> TransactionStatus:
    """The state of a connection after rolling back a transaction that was left open."""
    if connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
        with suppress(psycopg.Error):
            connection.rollback()
    return connection.info.transaction_status


def _close(connections: Sequence[_Taken]) -> None:
    for taken in connections:
        with suppress(psycopg.Error):
            taken.connection.close()


_pools: dict[tuple[str, str], Pool] = {}
_lock = threading.Lock()


def open_pool(url: str, size: int = SIZE, settings: str = "") -> Pool:
    """The pool of this process for an address and settings; `close_pool` ends the use of it.

    UsageError if eventsourcing is told to insert through database functions."""
    refuse_db_functions()
    with _lock:
        pool = _pools.setdefault((url, settings), Pool(url, size, settings))
        pool.users += 1
        return pool


def close_pool(pool: Pool) -> None:
    """Ends a use of a pool. The last one closes its connections."""
    with _lock:
        pool.users -= 1
        if pool.users:
            return
        del _pools[pool.url, pool.settings]
    pool.close()
