"""PostgreSQL as the engine of a log, in the schema that an address selects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from kairos.durable import replace_file
from kairos.errors import TryAgain
from kairos.eventlog.postgres.address import shown
from kairos.eventlog.postgres.connecting import connect, postgres_errors, psycopg_sql
from kairos.eventlog.postgres.leasing import LeaseTable
from kairos.eventlog.postgres.listening import Listener
from kairos.eventlog.postgres.making import ALL, make
from kairos.eventlog.postgres.pool import Pool, close_pool, open_pool
from kairos.eventlog.postgres.queries import PostgresDatabase, layout
from kairos.privacy import make_private

_SIZE = (
    "SELECT COALESCE(SUM(pg_total_relation_size(oid)), 0) FROM pg_class WHERE relname = ANY(?) AND relkind = 'r'"
    " AND relnamespace = current_schema()::regnamespace"
)
_TRY_ALONE = "SELECT pg_try_advisory_lock(?, hashtext(current_schema()))"
_ALONE = 420_311
"""Number of the advisory lock that a compaction or forgetting of any home holds."""


class Postgres:
    """The log at `url`; `segments` is the folder in which this home keeps segment files."""

    shared = True

    def __init__(self, url: str, segments: Path) -> None:
        self._url = url
        self.segments = segments
        self._opened: Pool | None = None

    @property
    def name(self) -> str:
        return shown(self._url)

    @property
    def pool(self) -> Pool:
        """The connection pool of this process, in use until `close`."""
        if self._opened is None:
            self._opened = open_pool(self._url)
        return self._opened

    def database(self) -> PostgresDatabase:
        return PostgresDatabase(self.pool)

    def make(self) -> None:
        """Creates the tables if there are none."""
        make(self.pool)

    def errors(self) -> AbstractContextManager[None]:
        return postgres_errors(self._url)

    def ring(self) -> None:
        """Does nothing: the append itself notifies."""

    def listener(self) -> Listener:
        return Listener(self._url)

    def exists(self) -> bool:
        return layout(self.pool) is not None

    def size(self) -> int:
        """Size in bytes of the tables and their indexes, including stored segment files."""
        return int(self.pool.run(_SIZE, (list(ALL),))[0][0])

    def segment(self, file: str) -> Path:
        """The path of a segment file, written from the database first if this home does not have it. Its content is
        verified when it is read."""
        path = self.segments / file
        if not path.exists():
            found = self.pool.run("SELECT content FROM segment_files WHERE file = ?", (file,))
            if found:
                make_private(path.parent)
                replace_file(path, found[0][0])
        return path

    def leases(self) -> LeaseTable:
        return LeaseTable(self._url)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Prevents other homes from compacting or forgetting meanwhile. TryAgain if one is doing so. The lock belongs
        to a connection, so a separate one is opened."""
        with self.errors():
            connection = connect(self._url)
        with closing(connection):
            with self.errors():
                taken = connection.execute(psycopg_sql(_TRY_ALONE), (_ALONE,)).fetchone()
            if taken != (True,):
                raise TryAgain("another compaction or forgetting is running", "Wait for it to end, then try again.")
            yield

    def close(self) -> None:
        if self._opened is not None:
            pool, self._opened = self._opened, None
            close_pool(pool)
