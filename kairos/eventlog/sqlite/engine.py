"""SQLite as the engine of a log: one file beside its bell."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from kairos.eventlog.database import Unmade
from kairos.eventlog.sqlite.making import make
from kairos.eventlog.sqlite.queries import SqliteDatabase, sqlite_errors
from kairos.privacy import make_private

if TYPE_CHECKING:
    from kairos.eventlog.sqlite.bell import Bell


class Sqlite:
    """The database at `path`; `bell` is the file that followers watch, `segments` where segment files lie."""

    shared = False

    def __init__(self, path: Path, bell: Path | None = None, segments: Path | None = None) -> None:
        self.path = path
        self._bell = bell or path.parent / "bell" / "log.bell"
        self._segments = segments or path.parent / "segments"

    @property
    def name(self) -> str:
        return str(self.path)

    def database(self) -> SqliteDatabase:
        if not self.path.exists():
            raise Unmade
        return SqliteDatabase(self.path)

    def make(self) -> None:
        """Makes the tables, or brings them up to date."""
        make_private(self.path.parent)
        make_private(self._bell.parent)
        make(self.path)

    def errors(self) -> AbstractContextManager[None]:
        return sqlite_errors(self.path)

    def ring(self) -> None:
        """Opens the bell. Watching the database itself would wake followers before the row is visible; a write to the
        bell would change its time, and the next sync of the log would wait until the disk has that, too."""
        try:
            bell = os.open(self._bell, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            bell = os.open(self._bell, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.close(bell)

    def listener(self) -> Bell:
        from kairos.eventlog.sqlite.bell import Bell

        return Bell(self._bell.parent)

    def exists(self) -> bool:
        return self.path.exists()

    def size(self) -> int:
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return sum(p.stat().st_size for p in files if p.exists())

    def segment(self, file: str) -> Path:
        """Every segment file was made in this home."""
        return self._segments / file

    def leases(self) -> None:
        """None: one home, and its daemon's lock, are all there is."""

    def alone(self) -> AbstractContextManager[None]:
        return nullcontext()

    def close(self) -> None:
        """Nothing is held here."""
