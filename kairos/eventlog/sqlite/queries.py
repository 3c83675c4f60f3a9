"""Opening the database of a log for reading, and translating the errors of SQLite. Imports nothing slow."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kairos.errors import IntegrityError, KairosError, TryAgain
from kairos.eventlog.database import Sink, Unmade, cause_of
from kairos.eventlog.schema import SCHEMA_VERSION

LOCK_TIMEOUT_S = 30


class SqliteDatabase:
    """The file at `path`, read-only. Unmade if it is empty or of an earlier layout, IntegrityError for a layout that
    this program does not know."""

    def __init__(self, path: Path) -> None:
        self._uri = f"file:{quote(os.fsencode(path))}?mode=ro"
        self._db = sqlite3.connect(
            self._uri, uri=True, isolation_level=None, check_same_thread=False, timeout=LOCK_TIMEOUT_S
        )
        try:
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.OperationalError as error:
            self._db.close()
            if "readonly" not in str(error):
                raise
            raise Unmade from error  # a crash left a journal, which only a writer may roll back
        if version == 0 and self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            raise Unmade
        if 0 < version < SCHEMA_VERSION:
            self._db.close()
            raise Unmade
        if version != SCHEMA_VERSION:
            raise IntegrityError(
                f"{path} has layout {version}; this program knows {SCHEMA_VERSION}",
                "It was written by another Kairos (upgrade), or is not a log at all.",
            )

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError as error:
            if "decode" not in str(error):
                raise
            self._db.text_factory = _legible  # only now: it costs a call per text
            return self._db.execute(sql, parameters).fetchall()

    def feed(self, sink: Sink, sql: str, numbers: list[int]) -> int:
        """Passes rows to the sink natively, without a Python object per value, if the SQLite library that this Python
        has loaded can be found; otherwise through Python."""
        module = getattr(sys.modules["_sqlite3"], "__file__", None)
        taken = None if module is None else sink.add_hot(module, self._uri, sql, numbers)
        return sink.add(self._db.execute(sql, numbers)) if taken is None else taken

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()


_DAMAGED = ("malformed", "not a database", "no such", "corrupt", "decode", "unsupported", "encod")
"""Parts of the error messages of SQLite that indicate a damaged file."""


def _legible(raw: bytes) -> str:
    """Decodes text and replaces invalid bytes: a damaged byte must not hide the rows around it, and verifying the chain
    finds the damaged row."""
    return raw.decode("utf-8", "replace")


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Translates errors of SQLite and eventsourcing into errors that a user can act on."""
    try:
        yield
    except KairosError:
        raise
    except Exception as error:
        cause = cause_of(error, (sqlite3.Error, UnicodeDecodeError))
        if cause is None:
            raise
        text = str(cause).lower()
        if "full" in text or "disk i/o" in text:
            raise TryAgain(
                f"the disk that holds {path} is full: nothing was written",
                "Free some space and try again; the log is intact.",
            ) from error
        if "locked" in text or "busy" in text:
            raise TryAgain(f"{path} is busy: another process holds its write lock", "Try again in a moment.") from error
        if any(words in text for words in _DAMAGED):
            raise IntegrityError(
                f"{path} is damaged: {cause}",
                "Nothing was changed. Run `kairos log verify`, and restore the file from a backup.",
            ) from error
        if "unable to open" in text or "readonly" in text:
            raise TryAgain(
                f"{path} cannot be opened: {cause}", "Check its permissions and that its disk is there."
            ) from error
        raise
