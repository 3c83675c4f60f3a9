"""Opening a connection to the server, and translating the errors of psycopg."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import errors as pg

from kairos.errors import IntegrityError, KairosError, TryAgain, UsageError
from kairos.eventlog.database import cause_of
from kairos.eventlog.postgres.address import secrets_of, shown

PATIENCE_S = 5.0
"""Seconds of retrying to reopen a lost connection before the caller gets an error; a server restart takes less."""
LOCK_TIMEOUT_S = 30
IDLE_TIMEOUT_S = 20
"""Seconds after which the server ends the transaction of a process that was stopped during an append, which releases
its lock."""
_SETTINGS = (
    f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'; SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT_S}s';"
    " SET default_transaction_isolation = 'read committed';"  # a stricter level would fail instead of waiting
    " SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
CHANNEL = "'kairos_' || md5(current_schema())"
"""SQL for the channel that announces this log's appends. It contains the schema, because channels are per database and
logs per schema."""
_FINAL = re.compile(
    r"FATAL: .*(authentication failed|does not exist|no pg_hba\.conf entry)|no password supplied|invalid \w+ value"
)
_TRUE = frozenset({"1", "y", "yes", "t", "true", "on", "enabled"})


Connection = psycopg.Connection[tuple[Any, ...]]


def connect(url: str, settings: str = "") -> Connection:
    """A connection that detects a dead server, waits for locks for a limited time and commits durably. UsageError if
    the address is not valid."""
    try:
        made = psycopg.connect(
            url, autocommit=True, connect_timeout=5, application_name="kairos", client_encoding="UTF8",
            keepalives_idle=30, keepalives_interval=10, keepalives_count=3, tcp_user_timeout=30_000,
        )  # fmt: skip
    except psycopg.ProgrammingError as error:  # its text may contain the URL with a password
        raise UsageError(
            "the PostgreSQL address cannot be understood", "It looks like postgresql://USER@HOST/DATABASE."
        ) from error
    try:
        made.execute(f"{_SETTINGS}; {settings}".encode())
    except BaseException:
        made.close()
        raise
    return made


def is_lost(connection: Connection) -> bool:
    """Whether a connection is known to be broken since its last statement."""
    return connection.closed or connection.broken


@lru_cache(512)
def psycopg_sql(sql: str) -> Any:
    """Portable SQL with `?`, converted for psycopg and PostgreSQL."""
    return sql.replace("%", "%%").replace("?", "%s").replace("AS BLOB)", "AS BYTEA)")


def refuse_db_functions() -> None:
    """UsageError if eventsourcing is configured to insert through database functions: they take no lock, so positions
    would become visible out of order and a follower would skip events permanently."""
    if os.environ.get("POSTGRES_ENABLE_DB_FUNCTIONS", "").strip().lower() in _TRUE:
        raise UsageError(
            "POSTGRES_ENABLE_DB_FUNCTIONS is set: events inserted that way become visible out of order, and followers"
            " would skip some",
            "Unset it.",
        )


@contextmanager
def postgres_errors(url: str) -> Iterator[None]:
    """Translates errors of psycopg and eventsourcing into errors that a user can act on, without passwords."""
    try:
        yield
    except KairosError:
        raise
    except Exception as error:
        cause = cause_of(error, psycopg.Error)
        if cause is None:
            raise
        raise _meaning(cause, url) from _harmless(cause, url)


def refused(said: str) -> bool:
    """Whether an error means that the server refused the connection for good. libpq has no code for it, only text."""
    return _FINAL.search(said) is not None


def _harmless(error: psycopg.Error, url: str) -> BaseException | None:
    """The error as a cause to chain; None if its text contains a secret."""
    return None if any(word in str(error) for word in secrets_of(url)) else error


def _meaning(error: psycopg.Error, url: str) -> Exception:
    where = shown(url)
    said = (str(error).strip().splitlines() or ["no reason was given"])[0]
    for word in secrets_of(url):
        said = said.replace(word, "…")
    match error:
        case pg.InvalidPassword() | pg.InvalidAuthorizationSpecification() | pg.InsufficientPrivilege():
            return UsageError(
                f"{where} refuses access: {said}", "Check the user, ~/.pgpass and the rights it was granted."
            )
        case pg.InvalidCatalogName() | pg.InvalidSchemaName():
            return UsageError(f"{where} does not exist: {said}", "Create it first: `createdb NAME`.")
        case pg.DiskFull() | pg.OutOfMemory():
            return TryAgain(
                f"{where} is out of disk space or memory; nothing was written",
                "Free some on the server, then try again.",
            )
        case pg.LockNotAvailable() | pg.DeadlockDetected() | pg.SerializationFailure() | pg.QueryCanceled():
            return TryAgain(f"{where} is busy: {said}", "Try again in a moment.")
        case pg.ReadOnlySqlTransaction():
            return TryAgain(f"{where} is read-only at present: {said}", "If it is a replica, name the primary server.")
        case pg.UndefinedTable() | pg.UndefinedColumn() | pg.DataCorrupted() | pg.IndexCorrupted():
            return IntegrityError(
                f"{where} is damaged: {said}", "Nothing was changed. Run `kairos log verify`, and restore a backup."
            )
        case psycopg.OperationalError() | psycopg.InterfaceError():
            if refused(said):
                return UsageError(
                    f"{where} rejects the connection: {said}", "Check the database, the user and ~/.pgpass."
                )
            return TryAgain(
                f"{where} does not answer: {said}",
                "Check that the server is running, then try again; nothing was lost.",
            )
    return error
