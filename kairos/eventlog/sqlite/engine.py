"""SQLite as the engine of a log: a database file and its bell."""

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
    """The database at `path`; `bell` is the file that followers watch, `segments` the folder of segment files."""

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
        """Creates the tables or upgrades them."""
        make_private(self.path.parent)
        make_private(self._bell.parent)
        make(self.path)

    def errors(self) -> AbstractContextManager[None]:
        return sqlite_errors(self.path)

    def ring(self) -> None:
        """Opens the bell file. Followers do not watch the database itself, because they would wake before the row is
        visible. The bell is not written to, because that would change its modification time and the next sync of the
        log would wait until this is on disk, too."""
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
        """The path of a segment file; all of them were written by this home."""
        return self._segments / file

    def leases(self) -> None:
        """None: only one home writes, and its daemon's lock suffices."""

    def alone(self) -> AbstractContextManager[None]:
        return nullcontext()

    def close(self) -> None:
        """Does nothing: the engine holds no connection."""
