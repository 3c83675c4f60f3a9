"""The writing side of the log on SQLite: eventsourcing's recorder with our columns and chain."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from eventsourcing.sqlite import SQLiteDatastore, SQLiteProcessRecorder

from kairos.eventlog import writing
from kairos.eventlog.database import Engine
from kairos.eventlog.reader import Reader
from kairos.eventlog.record import Draft, Write
from kairos.eventlog.sqlite.engine import Sqlite
from kairos.eventlog.sqlite.queries import LOCK_TIMEOUT_S
from kairos.eventlog.stock import StockRecorder

PAGES = 200
"""Freed pages that are returned to the file system at a time; a concurrent writer waits until they are."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection whose commits survive power loss (WAL with synchronous=FULL).

    Once the write-ahead log has reached the size at which it is checkpointed, appends overwrite it: a sync that does
    not record a new file size takes half the time."""
    uri = f"file:{quote(os.fsencode(path))}?mode=rw"  # only `make` creates the file
    db = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None, timeout=LOCK_TIMEOUT_S)
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA secure_delete=OFF")  # `purge` removes forgotten data and all free pages
    db.execute("PRAGMA wal_autocheckpoint=4000")
    return db


class LogRecorder(StockRecorder, SQLiteProcessRecorder):  # type: ignore[misc]  # they say int, and also return None
    """Appends each batch in one transaction that takes the write lock first; positions are never reused. Any thread may
    use it; calls are serialized. The pool of the datastore is not used: its connections cache one prepared statement,
    and an append has several. `engine`: the engine of the log."""

    def __init__(self, datastore: SQLiteDatastore, engine: Engine) -> None:
        super().__init__(datastore, events_table_name="events")
        self._engine = engine
        self._lock = threading.RLock()
        self._opened = ExitStack()
        self._db_if_open: sqlite3.Connection | None = None
        self._reader: Reader | None = None
        weakref.finalize(self, self._opened.close)

    @property
    def _db(self) -> sqlite3.Connection:
        if self._db_if_open is None:
            self._db_if_open = connect(Path(self.datastore.pool.db_name))
            self._opened.callback(self._db_if_open.close)
        return self._db_if_open

    @contextmanager
    def _reading(self) -> Iterator[Reader]:
        with self._lock:
            if self._reader is None:
                self._reader = Reader(self._engine.database(), self._engine.segment)
                self._opened.callback(self._reader.close)
            yield self._reader

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        """A transaction that takes the write lock with its first statement: this waits for the lock, whereas upgrading
        a read transaction would fail at once."""
        with self._lock, closing(self._db.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite may have rolled back already if the disk is full
                    cursor.execute("ROLLBACK")
                raise

    def append(
        self,
        drafts: list[Draft],
        at: int,
        expected: Mapping[str, int],
        writes: Sequence[Write],
        cold_root: Callable[[int], int],
    ) -> list[int]:
        with self._transaction() as c:
            c.execute("SELECT position, link FROM head")
            return writing.append(c, c.fetchone(), drafts, at, expected, writes, cold_root)

    def load(self, rows: Iterator[tuple[Any, ...]], head: int, link: bytes, tracking: Mapping[str, int]) -> None:
        with self._transaction() as c:
            writing.load(c, rows, head, link, tracking)

    def purge(self) -> bool:
        self._db.execute("VACUUM")
        return bool(self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)

    def shrink(self) -> None:
        while self._db.execute("PRAGMA freelist_count").fetchone()[0] > 0:
            begun = time.monotonic()
            self._db.executescript(f"PRAGMA incremental_vacuum({PAGES})")  # `execute` would return a single page
            time.sleep(time.monotonic() - begun)
        self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Closes both connections; safe to repeat."""
        with self._lock:
            self._opened.close()
            self._db_if_open = self._reader = None
        self.datastore.close()


def open_recorder(engine: Sqlite) -> LogRecorder:
    """The recorder of a log whose tables exist."""
    return LogRecorder(SQLiteDatastore(str(engine.path), originator_id_type="text"), engine)
