"""The log on PostgreSQL for applications of eventsourcing: `APPLICATION_RECORDER_TOPIC` names this recorder."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any, Literal, cast

from eventsourcing.persistence import ProgrammingError
from eventsourcing.postgres import PostgresDatastore

from kairos.eventlog.postgres.address import address
from kairos.eventlog.postgres.engine import Postgres
from kairos.eventlog.postgres.recorder import LogDatastore, PostgresRecorder


class StockPostgresRecorder(PostgresRecorder):
    """The recorder of the log in the schema that a datastore selects, with a temporary folder for segments. The table
    names that a factory passes are ignored, because a log has fixed ones.

    ProgrammingError if the datastore is configured to insert through database functions."""

    def __init__(self, datastore: PostgresDatastore, **_: str) -> None:
        if datastore.enable_db_functions:
            raise ProgrammingError("POSTGRES_ENABLE_DB_FUNCTIONS is set: followers would skip events. Unset it")
        engine = Postgres(_address_of(datastore), Path(tempfile.mkdtemp(prefix="kairos-segments-")))
        self._let_go = weakref.finalize(self, _let_go, engine)
        kind = cast(Literal["uuid", "text"], datastore.originator_id_type)
        super().__init__(LogDatastore(engine.pool, kind), engine, engine.segments)

    def close(self) -> None:
        """Releases the connections and deletes the segments that were fetched; safe to repeat."""
        self._let_go()


def _address_of(datastore: PostgresDatastore) -> str:
    given, secret = cast(dict[str, Any], datastore.pool.kwargs), datastore.pool.get_password_func
    password = secret() if secret else given["password"]
    return address(given["dbname"], given["host"], given["port"], given["user"], password, datastore.schema)


def _let_go(engine: Postgres) -> None:
    engine.close()
    shutil.rmtree(engine.segments, ignore_errors=True)
