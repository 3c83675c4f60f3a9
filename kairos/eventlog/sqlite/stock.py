"""The log on SQLite for applications of eventsourcing: `APPLICATION_RECORDER_TOPIC` names this recorder."""

from __future__ import annotations

from pathlib import Path

from eventsourcing.persistence import ProgrammingError
from eventsourcing.sqlite import SQLiteDatastore

from kairos.eventlog.sqlite.engine import Sqlite
from kairos.eventlog.sqlite.recorder import LogRecorder


class StockSqliteRecorder(LogRecorder):
    """The recorder of the log in the file that a datastore names, with its bell and segments in the same folder.

    ProgrammingError if the datastore does not name a file, because a log consists of several files."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        name = datastore.pool.db_name
        if datastore.pool.is_sqlite_memory_mode or not name or name.startswith("file:"):
            raise ProgrammingError(
                f"{name!r} is not a path: SQLITE_DBNAME names the file of a Kairos log, `log.db` in its home"
            )
        super().__init__(datastore, Sqlite(Path(name)))
