"""The writing side of the log on PostgreSQL: eventsourcing's application recorder with our columns and chain.

`UPDATE head` comes first in every transaction and holds a row lock until its end: appends are serialized and positions
become visible in order. The inserts of the base class and its database functions are not used.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import psycopg
from eventsourcing.postgres import PostgresDatastore, PostgresProcessRecorder

from kairos.errors import KairosError, OutcomeUnknown, TryAgain
from kairos.eventlog import writing
from kairos.eventlog.database import Engine
from kairos.eventlog.postgres.address import shown
from kairos.eventlog.postgres.connecting import CHANNEL, PATIENCE_S, Connection, connect, is_lost, psycopg_sql
from kairos.eventlog.postgres.engine import Postgres
from kairos.eventlog.postgres.pool import Pool
from kairos.eventlog.postgres.queries import Statements
from kairos.eventlog.reader import Reader
from kairos.eventlog.record import Draft, Fence, Seal, Swap, Write
from kairos.eventlog.stock import StockRecorder

DOUBT_S = 5.0
"""Seconds for which an append whose COMMIT was not answered tries to learn from the server whether it was stored."""
_REWRITTEN = ("events", "streams", "views", "tracking", "segments", "segment_files")


class LogDatastore(PostgresDatastore):
    """The datastore of a log, on this process's connection pool, without composite types."""

    def __init__(self, pool: Pool, originator_id_type: Literal["uuid", "text"] = "text") -> None:
        super().__init__("", "", 0, "", "", originator_id_type=originator_id_type)
        self.connections = pool

    @contextmanager
    def get_connection(self) -> Iterator[psycopg.Connection[Any]]:
        with self.connections.connection() as connection:
            yield connection

    def register_type_adapters(self) -> None:
        """Does nothing: no composite types are used."""


class PostgresRecorder(StockRecorder, PostgresProcessRecorder):
    """Appends each batch in one transaction that locks the head first; positions are never reused. Any thread may use
    it. The bytes of a segment file are stored in the database together with the manifest row that names it.

    `engine`: the engine of the log; `segments`: the folder of its segment files."""

    def __init__(self, datastore: LogDatastore, engine: Engine, segments: Path) -> None:
        super().__init__(datastore, events_table_name="events", tracking_table_name="tracking")
        self._engine = engine
        self._pool = datastore.connections
        self._segments = segments
        self._reader: Reader | None = None

    @contextmanager
    def _reading(self) -> Iterator[Reader]:
        if self._reader is None:
            self._reader = Reader(self._engine.database(), self._engine.segment)
        yield self._reader

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
        with self._pool.connection() as connection:
            with connection.transaction(), connection.cursor() as cursor:
                writing.load(Statements(cursor), rows, head, link, tracking)
            connection.execute("ANALYZE")

    def purge(self) -> bool:
        """Rewrites every table; always True. This is all that a client can do: the server's WAL, its archive and its
        backups are beyond reach. A checkpoint and a new WAL file are requested, but not required."""
        with closing(connect(self._pool.url, "SET lock_timeout = 0")) as connection:
            connection.execute(psycopg_sql(f"VACUUM (FULL, ANALYZE) {', '.join(_REWRITTEN)}"))
            for wish in ("SELECT pg_switch_wal()", "CHECKPOINT", "CHECKPOINT"):
                with suppress(psycopg.errors.InsufficientPrivilege):
                    connection.execute(psycopg_sql(wish))
        return True

    def shrink(self) -> None:
        self._pool.run("VACUUM (ANALYZE) events")

    def _durably(self, store: Callable[[Statements, tuple[int, bytes]], list[int]]) -> list[int]:
        """Runs an append in a transaction, and again if the connection was lost before COMMIT. If it was lost later,
        the link stored at the append's last position shows whether it was committed: so it happens exactly once."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            tried = _Tried()
            with self._pool.connection() as connection:
                try:
                    self._store(connection, store, tried)
                    return tried.positions
                except psycopg.OperationalError as error:
                    if not is_lost(connection):
                        raise
                    lost = error
            if tried.link and self._settled(tried.positions[-1], tried.link, lost):
                return tried.positions
            if time.monotonic() > deadline:
                where = shown(self._pool.url)
                raise TryAgain(
                    f"the connection to {where} breaks repeatedly", "Check the server and the network, then try again."
                ) from lost

    @staticmethod
    def _store(
        connection: Connection, store: Callable[[Statements, tuple[int, bytes]], list[int]], tried: _Tried
    ) -> None:
        """Runs one transaction; after an error it is rolled back when the connection is returned. `tried` gets the link
        just before COMMIT."""
        with connection.cursor() as cursor:
            c = Statements(cursor)
            cursor.execute("BEGIN; UPDATE head SET id = id RETURNING position, link")
            cursor.nextset()
            head = cursor.fetchone()
            if head is None:
                raise KairosError("the log has no head row", "Restore the database from a backup.")
            tried.positions = store(c, (head[0], head[1]))
            if tried.positions:
                c.execute(f"SELECT link, pg_notify({CHANNEL}, '') FROM head")
                tried.link = c.fetchone()[0]
            cursor.execute("COMMIT")

    def _settled(self, position: int, link: bytes, error: psycopg.OperationalError) -> bool:
        """Whether an append whose COMMIT was not answered is in the log. Locking the head row waits until the server
        has ended the transaction if it is still open. OutcomeUnknown if the server stays unavailable."""
        deadline = time.monotonic() + DOUBT_S
        while True:
            try:
                [(head,)] = self._pool.run("SELECT position FROM head FOR UPDATE")
                row = self._pool.run("SELECT link FROM events WHERE position = ?", (position,))
            except (psycopg.OperationalError, TryAgain):
                if time.monotonic() < deadline:
                    time.sleep(0.2)
                    continue
                head, row = position, []
            if row:
                return bool(row[0][0] == link)
            if head < position:
                return False
            raise OutcomeUnknown(
                f"{shown(self._pool.url)} went away while it stored position {position}, so the outcome is unknown",
                "Check `kairos log` when the server is back; a daemon compares every tree again when it starts.",
            ) from error

    def _check(self, c: Statements, writes: Sequence[Write]) -> None:
        """LeaseLost if a lease of a `Fence` was taken over. The lease rows stay locked until the end of the
        transaction, so no lease is taken over before. They are locked in the order of names and renewals lock one at a
        time, so there is no deadlock."""
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
        """Stores the bytes of the segment files that `writes` add to the manifest, and deletes files that no manifest
        row names."""
        named = [w.file for w in writes if isinstance(w, (Seal, Swap))]
        for file in named:
            content = (self._segments / file).read_bytes()
            c.execute(
                "INSERT INTO segment_files VALUES (?,?) ON CONFLICT (file) DO UPDATE SET content = excluded.content",
                (file, content),
            )
        if named:
            c.execute("DELETE FROM segment_files WHERE file NOT IN (SELECT file FROM segments)")

    def close(self) -> None:
        """Does nothing: the connections belong to the pool of the process."""


class _Tried:
    """The progress of an append: its positions, and its last link once only COMMIT is missing."""

    def __init__(self) -> None:
        self.positions: list[int] = []
        self.link = b""


def open_recorder(engine: Postgres) -> PostgresRecorder:
    """The recorder of a log whose tables exist."""
    return PostgresRecorder(LogDatastore(engine.pool), engine, engine.segments)
