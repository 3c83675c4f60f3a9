"""The writing side of the log on SQLite: eventsourcing's application recorder with our columns and chain."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
)

from kairos._native import chain_drafts
from kairos.errors import Conflict
from kairos.eventlog.record import Draft, Drop, Erase, Put, Retire, Seal, Swap, Track, Write
from kairos.eventlog.schema import SCHEMA_VERSION, TABLES, VERSION

LOCK_TIMEOUT_S = 30
_INSERT = "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
_STREAMS_AT_ONCE = 400
_VERSIONS = f"WITH wanted (stream) AS (VALUES {{}}) SELECT stream, {VERSION} FROM wanted"
_KEEP_VERSIONS = (
    "INSERT OR REPLACE INTO streams SELECT originator_id, MAX(originator_version) FROM events"
    " WHERE position BETWEEN ? AND ? GROUP BY originator_id"
)


class DurablePool(SQLiteConnectionPool):
    """Connections that survive power loss (WAL with synchronous=FULL) and zero what they free."""

    def _create_connection(self) -> SQLiteConnection:
        # Not the base class's own: it keeps one prepared statement, and an append has several.
        db = sqlite3.connect(self.db_name, check_same_thread=False, isolation_level=None, timeout=LOCK_TIMEOUT_S)
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA secure_delete=ON")
        db.execute("PRAGMA wal_autocheckpoint=4000")
        return SQLiteConnection(db, max_age=self.max_age)


class LogRecorder(SQLiteApplicationRecorder):
    """Appends batches in one write-first transaction each; positions are never reused."""

    def __init__(self, datastore: SQLiteDatastore):
        super().__init__(datastore, events_table_name="events")
        self.select_max_notification_id_statement = "SELECT position FROM head"

    def append(
        self, drafts: list[Draft], at: int, expected: Mapping[str, int], writes: Sequence[Write], roots: dict[int, int]
    ) -> list[int]:
        """Stores drafts and writes, all or nothing; returns positions. `roots`: the correlation of each stored
        position that a draft names as its cause.

        Conflict if a stream of `expected` is not at that version."""
        with self.datastore.transaction(commit=True) as c:
            c.execute("UPDATE head SET id = id RETURNING position, link")
            head, link = c.fetchone()
            versions = self._versions(c, {d[0] for d in drafts}.union(expected))
            for stream, version in expected.items():
                if versions[stream] != version:
                    raise Conflict(
                        f"{stream} is at version {versions[stream]}, not {version}: somebody else wrote first",
                        "Look again and decide anew.",
                    )
            if drafts:
                rows = chain_drafts(link, head + 1, at, versions, roots, drafts)
                c.executemany(_INSERT, rows)
                c.execute("UPDATE head SET position = ?, link = ? WHERE id = 1", (rows[-1][0], rows[-1][-1]))
            self._write(c, writes)
        return list(range(head + 1, head + 1 + len(drafts)))

    def _versions(self, c: SQLiteCursor, streams: Collection[str]) -> dict[str, int]:
        """The present version of each stream."""
        found: dict[str, int] = {}
        names = list(streams)
        for first in range(0, len(names), _STREAMS_AT_ONCE):
            some = names[first : first + _STREAMS_AT_ONCE]
            c.execute(_VERSIONS.format(",".join(["(?)"] * len(some))), some)
            found.update(c.fetchall())
        return found

    def _write(self, c: SQLiteCursor, writes: Sequence[Write]) -> None:
        for write in writes:
            match write:
                case Put(view, key, value):
                    c.execute("INSERT OR REPLACE INTO views VALUES (?,?,?)", (view, key, value))
                case Drop(view, None):
                    c.execute("DELETE FROM views WHERE view = ?", (view,))
                case Drop(view, key):
                    c.execute("DELETE FROM views WHERE view = ? AND key = ?", (view, key))
                case Track(name, position):
                    c.execute("INSERT OR REPLACE INTO tracking VALUES (?,?)", (name, position))
                case Seal(first, last, file, size, digest, before, after):
                    c.execute(
                        "INSERT INTO segments VALUES (?,?,?,?,?,?,?,0)",
                        (first, last, file, size, digest, before, after),
                    )
                    c.execute("UPDATE head SET sealed_upto = ? WHERE sealed_upto = ?", (last, first - 1))
                case Retire(first, last, finished):
                    c.execute(_KEEP_VERSIONS, (first, last))
                    c.execute(
                        "DELETE FROM events WHERE position BETWEEN ? AND ? AND position <="
                        " (SELECT sealed_upto FROM head)",
                        (first, last),
                    )
                    if finished:
                        c.execute("UPDATE segments SET retired = 1 WHERE first = ?", (first,))

                case Erase(positions):
                    c.executemany("UPDATE events SET state = NULL WHERE position = ?", [(p,) for p in positions])
                case Swap(first, file, size, digest):
                    c.execute(
                        "UPDATE segments SET file = ?, bytes = ?, digest = ? WHERE first = ?",
                        (file, size, digest, first),
                    )

    def load(self, rows: Iterator[tuple[Any, ...]], head: int, link: bytes, tracking: Mapping[str, int]) -> None:
        """Stores ready rows and tracking positions in an empty log, all or nothing."""
        with self.datastore.transaction(commit=True) as c:
            c.execute("UPDATE head SET position = ?, link = ? WHERE position = 0 RETURNING id", (head, link))
            if c.fetchone() is None:
                raise Conflict("somebody else wrote to the log first", "Import into an empty home.")
            for row in rows:
                c.execute(_INSERT, row)
            for name, position in tracking.items():
                c.execute("INSERT OR REPLACE INTO tracking VALUES (?,?)", (name, position))

    def purge(self) -> bool:
        """Writes the database anew, so that no free page or gap holds old bytes, and empties the write-ahead log;
        False when a reader kept it from being emptied."""
        with self.datastore.get_connection(commit=True) as connection:
            cursor = connection.cursor()
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return bool(cursor.fetchone()[0] == 0)

    def shrink(self) -> None:
        """Gives freed pages back to the file system, a few at a time."""
        with self.datastore.get_connection(commit=True) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA incremental_vacuum(2000)")
            cursor.fetchall()
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
            cursor.fetchall()

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        order = "DESC" if desc else "ASC"
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                "SELECT originator_version, topic, state FROM events WHERE originator_id = ?"
                " AND originator_version > ? AND originator_version <= ?"
                f" ORDER BY originator_version {order} LIMIT ?",
                (str(originator_id), gt or 0, 2**62 if lte is None else lte, -1 if limit is None else limit),
            )
            return [StoredEvent(originator_id, r[0], r[1], r[2]) for r in c.fetchall()]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        first = 0 if start is None else start if inclusive_of_start else start + 1
        among = f" AND topic IN ({','.join('?' * len(topics))})" if topics else ""
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                "SELECT originator_id, originator_version, topic, state, position FROM events"
                f" WHERE position >= ? AND position <= ?{among} ORDER BY position LIMIT ?",
                (first, 2**62 if stop is None else stop, *topics, limit),
            )
            return [Notification(r[0], r[1], r[2], r[3], r[4]) for r in c.fetchall()]


def open_recorder(path: str) -> LogRecorder:
    """The recorder of the database file at `path`, made if absent."""
    _make(path)
    datastore = SQLiteDatastore(path, originator_id_type="text")
    datastore.pool.close()
    datastore.pool = DurablePool(db_name=path, lock_timeout=LOCK_TIMEOUT_S)
    return LogRecorder(datastore)


def _make(path: str) -> None:
    """Makes the tables if they are not there. One process at a time: changing the journal mode and the first
    CREATE do not wait for a lock as later writes do. Incremental vacuum can only be chosen on an empty file."""
    with open(f"{path}.lock", "ab") as lock, closing(sqlite3.connect(path, timeout=LOCK_TIMEOUT_S)) as db:  # noqa: PTH123
        fcntl.flock(lock, fcntl.LOCK_EX)
        if db.execute("PRAGMA user_version").fetchone()[0] != 0:
            return
        db.execute("PRAGMA auto_vacuum=INCREMENTAL")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("BEGIN IMMEDIATE")
        for statement in (*TABLES, f"PRAGMA user_version={SCHEMA_VERSION}"):
            db.execute(statement)
        db.execute("COMMIT")
