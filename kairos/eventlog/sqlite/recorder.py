"""The writing side of the log on SQLite: eventsourcing's application recorder with our columns and chain."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from kairos.eventlog import writing
from kairos.eventlog.record import Draft, Write
from kairos.eventlog.sqlite.making import make
from kairos.eventlog.sqlite.queries import LOCK_TIMEOUT_S
from kairos.eventlog.stock import StockReads

PAGES = 200
"""Freed pages that are given back at a time; a writer waits so long."""


def connect(path: str) -> sqlite3.Connection:
    """A connection that survives power loss (WAL with synchronous=FULL).

    Once the write-ahead log has the size at which it is checkpointed, appends overwrite it: a sync that need not record
    a new file size takes half the time."""
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=LOCK_TIMEOUT_S)
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA secure_delete=OFF")  # what is forgotten goes with `purge`, which leaves no free page
    db.execute("PRAGMA wal_autocheckpoint=4000")
    return db


class LogRecorder(StockReads, SQLiteApplicationRecorder):
    """Appends batches in one write-first transaction each; positions are never reused. The pool of the datastore opens
    no connection: its kind keeps one prepared statement, and an append has several."""

    def __init__(self, datastore: SQLiteDatastore):
        super().__init__(datastore, events_table_name="events")
        self._db = connect(datastore.pool.db_name)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        """A transaction that is a writer from its first statement: it waits its turn, where an upgrade from reader
        would fail at once."""
        cursor = self._db.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            yield cursor
            cursor.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk may have rolled back already
                cursor.execute("ROLLBACK")
            raise
        finally:
            cursor.close()

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
            self._db.executescript(f"PRAGMA incremental_vacuum({PAGES})")  # `execute` would give back a single page
            time.sleep(time.monotonic() - begun)
        self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        self._db.close()
        self.datastore.close()

    def query(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, parameters).fetchall()


def open_recorder(path: Path) -> LogRecorder:
    """The recorder of the database file at `path`, made or brought up to date if need be."""
    make(path)
    return LogRecorder(SQLiteDatastore(str(path), originator_id_type="text"))
