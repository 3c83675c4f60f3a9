"""Creating the tables of a log in the current schema of a database."""

from __future__ import annotations

from kairos.errors import IntegrityError
from kairos.eventlog.postgres.address import shown
from kairos.eventlog.postgres.connecting import psycopg_sql
from kairos.eventlog.postgres.pool import Pool
from kairos.eventlog.postgres.queries import layout
from kairos.eventlog.schema import FIRST_HEAD, SCHEMA_VERSION, TABLES

_DIALECT = {"integer": "BIGINT", "bytes": "BYTEA", "compact": ""}
_OWN_TABLES = (
    "CREATE TABLE IF NOT EXISTS layout (id BIGINT PRIMARY KEY CHECK (id = 1), version BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS segment_files (file TEXT PRIMARY KEY, content BYTEA NOT NULL)",
    "ALTER TABLE segment_files ALTER content SET STORAGE EXTERNAL",  # compressed already
    """CREATE TABLE IF NOT EXISTS leases (
        name TEXT PRIMARY KEY, holder TEXT NOT NULL, token BIGINT NOT NULL, until TIMESTAMPTZ NOT NULL)""",
)
ALL = ("events", "streams", "head", "views", "tracking", "segments", "segment_files", "leases", "layout")
"""Every table of a log on PostgreSQL."""
MAKING = 4_203_117_001
"""Number of the advisory lock under which tables are created, so that two first starts do not collide."""


def make(pool: Pool) -> None:
    """Creates the tables if there are none, all or nothing. IntegrityError for an unknown layout."""
    version = layout(pool)
    if version is None:
        with pool.connection() as connection, connection.transaction(), connection.cursor() as c:
            c.execute(psycopg_sql("SELECT pg_advisory_xact_lock(?)"), (MAKING,))
            # Checked again under the lock: another start may have created the tables meanwhile and be appending. Even a
            # CREATE INDEX IF NOT EXISTS that does nothing locks its table, so the two would deadlock.
            c.execute("SELECT to_regclass('layout')")
            if c.fetchone() == (None,):
                for statement in (*TABLES, *_OWN_TABLES):
                    c.execute(psycopg_sql(statement.format(**_DIALECT)))
                c.execute(psycopg_sql(FIRST_HEAD), (bytes(32),))
                c.execute(psycopg_sql("INSERT INTO layout VALUES (1, ?)"), (SCHEMA_VERSION,))
        version = layout(pool)
    if version != SCHEMA_VERSION:
        raise IntegrityError(
            f"{shown(pool.url)} has layout {version}; this program knows {SCHEMA_VERSION}",
            "It was written by another Kairos: upgrade.",
        )
