"""The reading side of the log on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.errors import UndefinedTable

from kairos.errors import IntegrityError
from kairos.eventlog.database import Sink, Unmade
from kairos.eventlog.postgres.address import shown
from kairos.eventlog.postgres.connecting import postgres_errors, psycopg_sql
from kairos.eventlog.postgres.pool import Pool
from kairos.eventlog.schema import SCHEMA_VERSION

_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_CHUNK = 2_000
"""Rows that a server-side cursor fetches at a time."""


class PostgresDatabase:
    """A read-only database over the connections of a pool. Unmade for an empty schema, IntegrityError for a layout that
    this program does not know."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        with postgres_errors(pool.url):
            version = layout(pool)
        if version is None:
            raise Unmade
        if version != SCHEMA_VERSION:
            raise IntegrityError(
                f"{shown(pool.url)} has layout {version}; this program knows {SCHEMA_VERSION}",
                "It was written by another Kairos: upgrade.",
            )

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with postgres_errors(self._pool.url):
            return self._pool.run(sql, parameters)

    def feed(self, sink: Sink, sql: str, numbers: list[int]) -> int:
        with (
            postgres_errors(self._pool.url), self.snapshot(), self._pool.connection() as connection,
            connection.cursor("feed") as cursor,
        ):  # fmt: skip
            cursor.itersize = _CHUNK
            return sink.add(cursor.execute(psycopg_sql(sql), numbers))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A read transaction. Inside an append it begins none: the append holds the lock on the head, so no other
        process changes the log."""
        if self._pool.in_transaction:
            yield
            return
        with postgres_errors(self._pool.url), self._pool.connection(_SNAPSHOT) as connection:
            yield
            with suppress(psycopg.Error):  # nothing was written; losing the connection also ends it
                connection.execute("COMMIT")

    def close(self) -> None:
        """Does nothing: the connections belong to the pool."""


def layout(pool: Pool) -> int | None:
    """The layout version of the tables in the current schema; None if there are none."""
    try:
        found = pool.run("SELECT version FROM layout")
    except UndefinedTable:
        return None
    return int(found[0][0]) if found else None


class Statements:
    """A cursor that accepts the portable SQL of the other modules."""

    def __init__(self, cursor: psycopg.Cursor[tuple[Any, ...]]) -> None:
        self._cursor = cursor

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> None:
        self._cursor.execute(psycopg_sql(sql), parameters)

    def executemany(self, sql: str, rows: Any, /) -> None:
        self._cursor.executemany(psycopg_sql(sql), rows)

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()
