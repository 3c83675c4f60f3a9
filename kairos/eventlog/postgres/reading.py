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
from kairos.eventlog.postgres.session import Session, postgres_errors, psycopg_sql
from kairos.eventlog.schema import SCHEMA_VERSION

_CHUNK = 2_000
"""Rows that the server sends at a time to whoever takes them one by one."""


class PostgresDatabase:
    """One connection that only reads, and that comes back after a loss. Unmade for an empty schema, IntegrityError
    for a layout that this program does not know."""

    def __init__(self, url: str) -> None:
        self._session = Session(url)
        self._within: psycopg.Connection[tuple[Any, ...]] | None = None
        with postgres_errors(url):
            version = layout(self._session)
        if version is None:
            self._session.close()
            raise Unmade
        if version != SCHEMA_VERSION:
            self._session.close()
            raise IntegrityError(
                f"{shown(url)} has layout {version}; this program knows {SCHEMA_VERSION}",
                "It was written by another Kairos: upgrade.",
            )

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with postgres_errors(self._session.url):
            if self._within is not None:  # a new connection would show another state
                return self._within.execute(psycopg_sql(sql), parameters).fetchall()
            return self._session.run(sql, parameters).fetchall()

    def feed(self, sink: Sink, sql: str, numbers: list[int]) -> int:
        with postgres_errors(self._session.url), self.snapshot():
            assert self._within is not None
            with self._within.cursor("feed") as cursor:
                cursor.itersize = _CHUNK
                return sink.add(cursor.execute(psycopg_sql(sql), numbers))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        if self._within is not None:
            yield
            return
        with postgres_errors(self._session.url):
            self._within = self._session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").connection
        try:
            yield
        finally:
            within, self._within = self._within, None
            with suppress(psycopg.Error):  # nothing was written, and a lost connection has ended it already
                within.execute("ROLLBACK")

    def close(self) -> None:
        self._session.close()


def layout(session: Session) -> int | None:
    """The layout of the tables in the present schema; None when there are none."""
    try:
        found = session.run("SELECT version FROM layout").fetchone()
    except UndefinedTable:
        return None
    return None if found is None else int(found[0])


class Statements:
    """A cursor that speaks the portable SQL of the other modules."""

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
