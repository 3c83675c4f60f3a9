"""The writing side of the log on SQLite: eventsourcing's application recorder with our columns and chain."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Mapping, Sequence
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

from kairos._native import extend_chain
from kairos.errors import Conflict
from kairos.eventlog.record import Drop, NewEvent, Put, Retire, Seal, Track, Write, header_bytes
from kairos.eventlog.schema import SCHEMA_VERSION, TABLES

LOCK_TIMEOUT_S = 30
_INSERT = "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"


class DurablePool(SQLiteConnectionPool):
    """Connections that survive power loss (WAL with synchronous=FULL) and zero what they free."""

    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA secure_delete=ON")
        return connection


class LogRecorder(SQLiteApplicationRecorder):
    """Appends batches in one write-first transaction each; positions are never reused."""

    def __init__(self, datastore: SQLiteDatastore):
        super().__init__(datastore, events_table_name="events")
        self.select_max_notification_id_statement = "SELECT position FROM head"

    def append(
        self,
        drafts: Sequence[tuple[NewEvent, str, int, bytes]],
        at: int,
        expected: Mapping[str, int],
        writes: Sequence[Write],
        roots: Mapping[int, int],
    ) -> list[int]:
        """Stores (event, topic, version, payload) drafts and the writes, all or nothing; returns positions.
        `roots`: the correlation of each stored position that a draft names as its cause.

        Conflict if a stream of `expected` is not at that version."""
        with self.datastore.transaction(commit=True) as c:
            c.execute("UPDATE head SET appends = appends + 1 WHERE id = 1")
            c.execute("SELECT position, link FROM head")
            head, link = c.fetchone()
            positions = list(range(head + 1, head + 1 + len(drafts)))
            versions = self._versions(c, drafts, expected)
            rows = self._rows(drafts, at, positions, versions, dict(roots), link)
            if rows:
                c.executemany(_INSERT, rows)
                c.execute("UPDATE head SET position = ?, link = ? WHERE id = 1", (positions[-1], rows[-1][-1]))
                c.executemany("INSERT OR REPLACE INTO streams VALUES (?,?)", list(versions.items()))
            self._write(c, writes)
        return positions

    def _versions(
        self, c: SQLiteCursor, drafts: Sequence[tuple[NewEvent, str, int, bytes]], expected: Mapping[str, int]
    ) -> dict[str, int]:
        """The present version of each stream concerned; checks `expected` against it."""
        versions: dict[str, int] = {}
        for stream in {*(d[0].stream for d in drafts), *expected}:
            c.execute("SELECT version FROM streams WHERE stream = ?", (stream,))
            found = c.fetchone()
            versions[stream] = found[0] if found else 0
        for stream, version in expected.items():
            if versions[stream] != version:
                raise Conflict(
                    f"{stream} is at version {versions[stream]}, not {version}: somebody else wrote first",
                    "Look again and decide anew.",
                )
        return {s: versions[s] for s in versions if any(d[0].stream == s for d in drafts)}

    def _rows(
        self,
        drafts: Sequence[tuple[NewEvent, str, int, bytes]],
        at: int,
        positions: Sequence[int],
        versions: dict[str, int],
        correlations: dict[int, int],
        link: bytes,
    ) -> list[tuple[Any, ...]]:
        headers = []
        for position, (new, topic, v, _) in zip(positions, drafts, strict=True):
            cause = new.caused_by
            if cause is not None and cause < 0:
                cause = position + cause
            if cause is not None and not 0 < cause < position:
                raise ValueError(f"{topic} at {position} cannot be caused by {cause}")
            correlation = position if cause is None else correlations[cause]
            correlations[position] = correlation
            versions[new.stream] += 1
            headers.append((position, new.stream, versions[new.stream], topic, v, at, cause, correlation, new.origin))
        hashes = extend_chain(bytes(link), [(header_bytes(h), d[3]) for h, d in zip(headers, drafts, strict=True)])
        return [
            (h[0], h[1], h[2], h[3], d[3], *h[4:], leaf, link)
            for h, d, (leaf, link) in zip(headers, drafts, hashes, strict=True)
        ]

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
                    c.execute(
                        "DELETE FROM events WHERE position BETWEEN ? AND ? AND position <="
                        " (SELECT sealed_upto FROM head)",
                        (first, last),
                    )
                    if finished:
                        c.execute("UPDATE segments SET retired = 1 WHERE first = ?", (first,))

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
