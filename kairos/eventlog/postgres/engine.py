"""PostgreSQL as the engine of a log: the schema that an address leads to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kairos.durable import replace_file
from kairos.errors import TryAgain
from kairos.eventlog.postgres.address import shown
from kairos.eventlog.postgres.leasing import LeaseTable
from kairos.eventlog.postgres.listening import Listener
from kairos.eventlog.postgres.making import ALL
from kairos.eventlog.postgres.reading import PostgresDatabase, layout
from kairos.eventlog.postgres.session import Session, postgres_errors
from kairos.privacy import make_private

if TYPE_CHECKING:
    from kairos.eventlog.postgres.recorder import PostgresRecorder

_SIZE = (
    "SELECT COALESCE(SUM(pg_total_relation_size(oid)), 0) FROM pg_class WHERE relname = ANY(?) AND relkind = 'r'"
    " AND relnamespace = current_schema()::regnamespace"
)
_ALONE = 420_311
"""Number of the advisory lock that a compaction or forgetting holds, in whichever home."""


class Postgres:
    """The log at `url`; `segments` is where this home keeps segment files."""

    shared = True

    def __init__(self, url: str, segments: Path) -> None:
        self._url = url
        self._segments = segments

    @property
    def name(self) -> str:
        return shown(self._url)

    def database(self) -> PostgresDatabase:
        return PostgresDatabase(self._url)

    def recorder(self) -> PostgresRecorder:
        from kairos.eventlog.postgres.recorder import open_recorder  # heavy, and readers do without

        return open_recorder(Session(self._url), self._segments)

    def errors(self) -> AbstractContextManager[None]:
        return postgres_errors(self._url)

    def ring(self) -> None:
        """Nothing: the append itself notifies."""

    def listener(self) -> Listener:
        return Listener(self._url)

    def exists(self) -> bool:
        with closing(Session(self._url)) as session:
            return layout(session) is not None

    def size(self) -> int:
        """Bytes of the tables and their indexes, segment files included."""
        with closing(Session(self._url)) as session:
            return int(session.run(_SIZE, (list(ALL),)).fetchall()[0][0])

    def fetch(self, file: str, into: Path) -> None:
        """Writes a segment file that another home made to where this one keeps them. What it is, its reader proves."""
        if into.exists():
            return
        with closing(Session(self._url)) as session:
            found = session.run("SELECT content FROM segment_files WHERE file = ?", (file,)).fetchone()
        if found is None:
            return
        make_private(into.parent)
        replace_file(into, found[0])

    def leases(self) -> LeaseTable:
        return LeaseTable(self._url)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """TryAgain while another home compacts or forgets."""
        with closing(Session(self._url)) as session:
            if not session.run("SELECT pg_try_advisory_lock(?, hashtext(current_schema()))", (_ALONE,)).fetchall()[0][
                0
            ]:
                raise TryAgain("another compaction or forgetting is running", "Let it finish.")
            yield

    def close(self) -> None:
        """Nothing is held here."""
