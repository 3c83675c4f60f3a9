"""Opening a connection to the server, and what psycopg's errors mean."""

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
from kairos.eventlog.postgres.address import secrets_of, shown

PATIENCE_S = 5.0
"""So long a lost connection is opened again and again before the caller hears of it: a restart takes less."""
LOCK_TIMEOUT_S = 30
IDLE_TIMEOUT_S = 20
"""A process that was stopped in the middle of an append loses its transaction after this, and with it the lock."""
_SETTINGS = (
    f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'; SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT_S}s';"
    " SET default_transaction_isolation = 'read committed';"  # a stricter one would fail where it should wait
    " SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
CHANNEL = "'kairos_' || md5(current_schema())"
"""SQL for the channel on which this log's appends are told: channels are a database's, and logs a schema's."""
_FINAL = re.compile(
    r"FATAL: .*(authentication failed|does not exist|no pg_hba\.conf entry)|no password supplied|invalid \w+ value"
)
_TRUE = frozenset({"1", "y", "yes", "t", "true", "on", "enabled"})


Connection = psycopg.Connection[tuple[Any, ...]]


def connect(url: str, settings: str = "") -> Connection:
    """A connection that notices a dead server, waits for locks a bounded time and commits durably."""
    try:
        made = psycopg.connect(
            url, autocommit=True, connect_timeout=5, application_name="kairos", client_encoding="UTF8",
            keepalives_idle=30, keepalives_interval=10, keepalives_count=3, tcp_user_timeout=30_000,
        )  # fmt: skip
    except psycopg.ProgrammingError as error:  # its text may repeat the URL, and with it a password
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
    """Whether a connection broke, as far as its last statement has shown."""
    return connection.closed or connection.broken


@lru_cache(512)
def psycopg_sql(sql: str) -> Any:
    """Portable SQL with `?` as psycopg and the server want it."""
    return sql.replace("%", "%%").replace("?", "%s").replace("AS BLOB)", "AS BYTEA)")


def refuse_db_functions() -> None:
    """UsageError if eventsourcing is told to insert through database functions: they take no lock, so positions would
    become visible out of order and a follower would pass over events for ever."""
    if os.environ.get("POSTGRES_ENABLE_DB_FUNCTIONS", "").strip().lower() in _TRUE:
        raise UsageError(
            "POSTGRES_ENABLE_DB_FUNCTIONS is set: events inserted that way become visible out of order, and followers"
            " would skip some",
            "Unset it.",
        )


@contextmanager
def postgres_errors(url: str) -> Iterator[None]:
    """Turns what psycopg and eventsourcing raise into errors a person can act on; none of them holds a password."""
    try:
        yield
    except KairosError:
        raise
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, psycopg.Error):
            cause = cause.__cause__
        if cause is None:
            raise
        raise _meaning(cause, url) from _harmless(cause, url)


def refused(said: str) -> bool:
    """Whether a server answered, and with a no that stays one. libpq gives no code for it, only these words."""
    return _FINAL.search(said) is not None


def _harmless(error: psycopg.Error, url: str) -> BaseException | None:
    """The cause, unless its text holds a secret."""
    return None if any(word in str(error) for word in secrets_of(url)) else error


def _meaning(error: psycopg.Error, url: str) -> Exception:
    where = shown(url)
    said = (str(error).strip().splitlines() or ["no reason was given"])[0]
    for word in secrets_of(url):
        said = said.replace(word, "…")
    match error:
        case pg.InvalidPassword() | pg.InvalidAuthorizationSpecification() | pg.InsufficientPrivilege():
            return UsageError(f"{where} refuses us: {said}", "Check the user, ~/.pgpass and the rights it was granted.")
        case pg.InvalidCatalogName() | pg.InvalidSchemaName():
            return UsageError(f"{where} does not exist: {said}", "Create it first: `createdb NAME`.")
        case pg.DiskFull() | pg.OutOfMemory():
            return TryAgain(f"{where} has no room: nothing was written", "Free some space on the server; try again.")
        case pg.LockNotAvailable() | pg.DeadlockDetected() | pg.SerializationFailure() | pg.QueryCanceled():
            return TryAgain(f"{where} is busy: {said}", "Try again in a moment.")
        case pg.ReadOnlySqlTransaction():
            return TryAgain(f"{where} only reads at present: {said}", "Is this a replica? Name the primary server.")
        case pg.UndefinedTable() | pg.UndefinedColumn() | pg.DataCorrupted() | pg.IndexCorrupted():
            return IntegrityError(
                f"{where} is damaged: {said}", "Nothing was changed. Run `kairos log verify`, and restore a backup."
            )
        case psycopg.OperationalError() | psycopg.InterfaceError():
            if refused(said):
                return UsageError(f"{where} does not let us in: {said}", "Check the database, the user and ~/.pgpass.")
            return TryAgain(f"{where} does not answer: {said}", "Is the server there? Nothing is lost; try again.")
    return error
