"""The writing side of the log on PostgreSQL: eventsourcing's application recorder with our columns and chain.

`UPDATE head` comes first in every transaction and takes a row lock until its end: appenders come one after the other,
and positions become visible in order. Not by way of the base class's inserts, nor of its database functions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from kairos.errors import KairosError, OutcomeUnknown, TryAgain
from kairos.eventlog import writing
from kairos.eventlog.postgres.address import shown
from kairos.eventlog.postgres.making import make
from kairos.eventlog.postgres.queries import Statements
from kairos.eventlog.postgres.session import CHANNEL, PATIENCE_S, Session, psycopg_sql
from kairos.eventlog.record import Draft, Fence, Seal, Swap, Write
from kairos.eventlog.stock import StockReads

DOUBT_S = 5.0
"""So long an append whose COMMIT was not answered waits for the server to say what became of it."""
_REWRITTEN = ("events", "streams", "views", "tracking", "segments", "segment_files")


class OneConnection(PostgresDatastore):
    """The datastore of a log: one connection instead of a pool and its threads; no composite types."""

    def __init__(self, session: Session) -> None:
        super().__init__("", "", 0, "", "", originator_id_type="text")
        self.session = session

    @contextmanager
    def get_connection(self) -> Iterator[psycopg.Connection[Any]]:
        yield self.session.connection()

    def register_type_adapters(self) -> None:
        """None are used: rows go in as they are."""

    def close(self) -> None:
        self.session.close()


class PostgresRecorder(StockReads, PostgresApplicationRecorder):
    """Appends batches in one write-first transaction each; positions are never reused. `segments`: where the files
    are that a manifest row names; their bytes go into the database with it."""

    def __init__(self, datastore: OneConnection, segments: Path) -> None:
        super().__init__(datastore, events_table_name="events")
        self._session = datastore.session
        self._segments = segments
        self._channel = ""

    def append(
        self,
        drafts: list[Draft],
        at: int,
        expected: Mapping[str, int],
        writes: Sequence[Write],
        cold_root: Callable[[int], int],
    ) -> list[int]:
        def store(c: Statements, head: tuple[int, bytes]) -> list[int]:
            self._check(c, writes)
            positions = writing.append(c, head, drafts, at, expected, writes, cold_root)
            self._keep_files(c, writes)
            return positions

        return self._durably(store)

    def load(self, rows: Iterator[tuple[Any, ...]], head: int, link: bytes, tracking: Mapping[str, int]) -> None:
        with self._transaction() as c:
            writing.load(c, rows, head, link, tracking)
        self._session.connection().execute("ANALYZE")

    def purge(self) -> bool:
        """What a client can do: every table is written anew; the server's own WAL, its archive and backups are not
        ours. A checkpoint and a new WAL file are asked for, and not insisted on."""
        connection = self._session.connection()
        connection.execute("SET lock_timeout = 0")
        try:
            connection.execute(psycopg_sql(f"VACUUM (FULL, ANALYZE) {', '.join(_REWRITTEN)}"))
        finally:
            connection.execute(psycopg_sql("RESET lock_timeout"))
        for wish in ("SELECT pg_switch_wal()", "CHECKPOINT", "CHECKPOINT"):
            with suppress(psycopg.errors.InsufficientPrivilege):
                connection.execute(psycopg_sql(wish))
        return True

    def shrink(self) -> None:
        self._session.connection().execute("VACUUM (ANALYZE) events")

    def _durably(self, store: Callable[[Statements, tuple[int, bytes]], list[int]]) -> list[int]:
        """Runs an append in a transaction, again where the connection was lost before COMMIT. Where it was lost after,
        the log is asked whether our link is at our position: it is done once, whatever the network does."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            connection = self._session.connection()
            committing = False
            positions: list[int] = []
            link = b""
            try:
                with connection.cursor() as cursor:
                    c = Statements(cursor)
                    cursor.execute("BEGIN; UPDATE head SET id = id RETURNING position, link")
                    cursor.nextset()
                    positions = store(c, self._head(cursor))
                    if positions:
                        c.execute("SELECT link, pg_notify(?, '') FROM head", (self._name_channel(),))
                        link = c.fetchone()[0]
                    committing = True
                    cursor.execute("COMMIT")
                return positions
            except psycopg.OperationalError as error:
                if not self._session.lost:
                    self._roll_back()
                    raise
                if committing and positions and self._settled(positions[-1], link, error):
                    return positions
                if time.monotonic() > deadline:
                    where = shown(self._session.url)
                    raise TryAgain(
                        f"{where} does not stay: the connection broke again and again", "Try again."
                    ) from error
            except BaseException:
                self._roll_back()
                raise

    def _settled(self, position: int, link: bytes, error: psycopg.OperationalError) -> bool:
        """Whether an append whose COMMIT was not answered is in the log. The row lock on the head waits for the server
        to end a transaction that it still believes in. OutcomeUnknown if the server stays away."""
        deadline = time.monotonic() + DOUBT_S
        while True:
            try:
                connection = self._session.connection()
                head = connection.execute("SELECT position FROM head FOR UPDATE").fetchone()
                row = connection.execute(
                    psycopg_sql("SELECT link FROM events WHERE position = ?"), (position,)
                ).fetchone()
            except psycopg.OperationalError:
                if time.monotonic() < deadline:
                    time.sleep(0.2)
                    continue
                head = row = None
            if head is not None and row is not None:
                return bool(row[0] == link)
            if head is not None and head[0] < position:
                return False
            raise OutcomeUnknown(
                f"{shown(self._session.url)} went away while it stored position {position}; and it may have",
                "Look at `kairos log` when the server is back; what the daemon watches is compared anew at its start.",
            ) from error

    def _check(self, c: Statements, writes: Sequence[Write]) -> None:
        """Refuses what a lost lease covers. The rows stay locked to the end: nobody takes a lease over before. In the
        order of names, as renewals take them one by one: no two wait for each other."""
        fences = [w for w in writes if isinstance(w, Fence)]
        if not fences:
            return
        pairs = " OR ".join(["(name = ? AND token = ?)"] * len(fences))
        c.execute(
            f"SELECT name FROM leases WHERE {pairs} ORDER BY name FOR SHARE",
            [value for fence in fences for value in (fence.name, fence.token)],
        )
        held = {name for (name,) in c.fetchall()}
        for fence in fences:
            if fence.name not in held:
                raise fence.lost()

    def _keep_files(self, c: Statements, writes: Sequence[Write]) -> None:
        """Stores the bytes of segment files with the manifest rows that name them, and drops those no row names."""
        named = [w.file for w in writes if isinstance(w, (Seal, Swap))]
        for file in named:
            content = (self._segments / file).read_bytes()
            c.execute(
                "INSERT INTO segment_files VALUES (?,?) ON CONFLICT (file) DO UPDATE SET content = excluded.content",
                (file, content),
            )
        if named:
            c.execute("DELETE FROM segment_files WHERE file NOT IN (SELECT file FROM segments)")

    @contextmanager
    def _transaction(self) -> Iterator[Statements]:
        connection = self._session.connection()
        with connection.transaction(), connection.cursor() as cursor:
            yield Statements(cursor)

    @staticmethod
    def _head(cursor: psycopg.Cursor[tuple[Any, ...]]) -> tuple[int, bytes]:
        row = cursor.fetchone()
        if row is None:
            raise KairosError("the log has no head row", "Restore the database from a backup.")
        return row[0], row[1]

    def _roll_back(self) -> None:
        with suppress(psycopg.Error):
            if not self._session.lost:
                self._session.connection().execute("ROLLBACK")

    def _name_channel(self) -> str:
        if not self._channel:
            row = self._session.connection().execute(CHANNEL).fetchone()
            self._channel = str(row[0]) if row else ""
        return self._channel

    def close(self) -> None:
        self._session.close()

    def query(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._session.run(sql, parameters).fetchall()


def open_recorder(session: Session, segments: Path) -> PostgresRecorder:
    """The recorder of the log in the present schema, made if absent."""
    try:
        make(session)
    except BaseException:
        session.close()
        raise
    return PostgresRecorder(OneConnection(session), segments)
