"""Connection pools of this process: a few connections to a server, shared by all logs and threads.

A thread has at most one connection of a pool at a time: a nested request returns the same connection. So no thread
holds a connection while it waits for another, and threads that wait for a free connection cannot deadlock.
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
"""Connections in a pool. Appends are serialized and reads are short: more connections are not faster even with twenty
repositories."""
WAIT_S = LOCK_TIMEOUT_S + 5.0
"""How long (s) a thread waits for a connection: longer than a thread that has one waits for a lock."""
_AWAY: dict[str, float] = {}
"""The time (monotonic, s) since which a server has not answered this process, by address. It is shared, so that threads
do not each wait for the server in turn."""


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
        """Increases when a connection was lost. Those opened before may be lost, too, which only using them would
        show, so they are discarded."""
        self._change = threading.Condition()
        self._mine = threading.local()
        self._answered = False

    @contextmanager
    def connection(self, first: str = "") -> Iterator[Connection]:
        """The connection that this thread already has, or one from the pool until the block ends. `first`: SQL to run
        on it; if this shows that the connection was lost, it runs again on another one, so it must be safe to repeat.

        psycopg.OperationalError if the server does not answer: at once if it never answered before, otherwise after
        `PATIENCE_S`, and at once again while it has been unavailable to this process for longer than that. TryAgain if
        all connections are in use for `WAIT_S`."""
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
        """The rows of a statement, which runs again if the connection was lost meanwhile, so it must be safe to
        repeat."""
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
        """Closes idle connections; those in use are closed when they are returned."""
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
        """Returns a connection to the pool, or closes it if it is not idle, was lost or is outdated."""
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
        """Removes all idle connections from the pool and returns them. Connections that are in use now become outdated
        and are not reused once they are returned."""
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
    """The pool of this process for an address and settings; release it with `close_pool`.

    UsageError if eventsourcing is configured to insert through database functions."""
    refuse_db_functions()
    with _lock:
        pool = _pools.setdefault((url, settings), Pool(url, size, settings))
        pool.users += 1
        return pool


def close_pool(pool: Pool) -> None:
    """Releases a pool. The last release closes its connections."""
    with _lock:
        pool.users -= 1
        if pool.users:
            return
        del _pools[pool.url, pool.settings]
    pool.close()
