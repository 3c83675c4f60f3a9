"""Creating the tables of a log and upgrading those of an earlier layout."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from kairos.durable import locked
from kairos.errors import TryAgain
from kairos.eventlog.schema import EVENTS, FIRST_HEAD, INDEXES, SCHEMA_VERSION, STREAMS, TABLES
from kairos.eventlog.sqlite.queries import LOCK_TIMEOUT_S
from kairos.privacy import open_private

_DIALECT = {"integer": "INTEGER", "bytes": "BLOB", "compact": " WITHOUT ROWID"}
_FROM_1 = (
    "DROP INDEX IF EXISTS events_by_topic",
    "ALTER TABLE events RENAME TO events_1",
    EVENTS,
    STREAMS,
    "INSERT INTO events SELECT position, originator_id, originator_version, topic, state, v, at, caused_by,"
    " correlation, origin, link, CASE WHEN state IS NULL THEN leaf END FROM events_1",
    "INSERT OR REPLACE INTO streams SELECT originator_id, MAX(originator_version) FROM events GROUP BY originator_id",
    "DROP TABLE events_1",
    *INDEXES,
)
"""Upgrade from layout 1, which checked versions by a unique index, had a table only for the versions of streams that
were no longer hot, and stored every leaf."""


def make(path: Path) -> None:
    """Creates the tables if there are none, or upgrades them. A file lock admits one process at a time, because
    changing the journal mode and the first CREATE do not wait for a lock as later writes do. Incremental vacuum is set
    here because it can only be set on an empty file.

    TryAgain if the layout must change while another process has the log open."""
    with locked(Path(f"{path}.lock")):
        _make(path)


def _make(path: Path) -> None:
    with suppress(FileExistsError):  # SQLite would make it world-readable; its -wal and -shm copy this mode
        os.close(open_private(path, os.O_RDWR | os.O_EXCL))
    with closing(sqlite3.connect(path, timeout=LOCK_TIMEOUT_S)) as db:
        db.isolation_level = None
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            db.execute("PRAGMA auto_vacuum=INCREMENTAL")
            db.execute("PRAGMA journal_mode=WAL")
            _run(db, TABLES, first=True)
    if 0 < version < SCHEMA_VERSION:
        _upgrade(path)


def _upgrade(path: Path) -> None:
    """Changes the layout in one transaction with exclusive access: a program that expects the earlier layout must not
    write at the same time."""
    with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as db:
        try:
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
            db.execute("PRAGMA synchronous=FULL")
            if db.execute("PRAGMA user_version").fetchone()[0] == 1:
                _run(db, _FROM_1)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            raise TryAgain(
                f"{path} was written by an earlier Kairos that still has it open",
                "Stop it (`kairos stop`), then try again: the log is then upgraded.",
            ) from error


def _run(db: sqlite3.Connection, statements: tuple[str, ...], *, first: bool = False) -> None:
    db.execute("BEGIN IMMEDIATE")
    for statement in statements:
        db.execute(statement.format(**_DIALECT))
    if first:
        db.execute(FIRST_HEAD, (bytes(32),))
    db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    db.execute("COMMIT")
