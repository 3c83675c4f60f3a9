"""The event log: append, read, streams, views. One `Log` belongs to one thread.

Reading opens the database read-only and imports nothing heavy; the writing side is opened at the first append.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kairos.clock import now_us
from kairos.errors import IntegrityError, NotFound, TryAgain
from kairos.eventlog import codec
from kairos.eventlog.reader import Reader, Unmade
from kairos.eventlog.record import NewEvent, Recorded, Row, Write

if TYPE_CHECKING:
    from kairos.eventlog.recorder import LogRecorder


class EventLog(Protocol):
    """What every engine of the log does. Positions ascend and are never reused."""

    def append(
        self, events: Sequence[NewEvent], *, expected: Mapping[str, int] | None = None, writes: Sequence[Write] = ()
    ) -> list[int]: ...
    def read(
        self, after: int = 0, *, limit: int | None = None, topics: Collection[str] = (), upto: int | None = None
    ) -> Iterator[Recorded]: ...
    def stream(self, stream: str) -> list[Recorded]: ...
    def at(self, position: int) -> Recorded: ...
    def head(self) -> int: ...
    def view(self, view: str) -> dict[bytes, bytes]: ...
    def view_size(self, view: str) -> int: ...
    def view_row(self, view: str, key: bytes) -> bytes | None: ...
    def kept(self, view: str) -> tuple[bytes | None, int]: ...
    def tracking(self, name: str) -> int: ...


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turns what SQLite and eventsourcing raise into errors a person can act on."""
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, sqlite3.Error):
            cause = cause.__cause__
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
        if "malformed" in text or "not a database" in text or "no such table" in text or "corrupt" in text:
            raise IntegrityError(
                f"{path} is damaged: {cause}",
                "Nothing was changed. Run `kairos log verify`, and restore the file from a backup.",
            ) from error
        if "unable to open" in text or "readonly" in text:
            raise TryAgain(
                f"{path} cannot be opened: {cause}", "Check its permissions and that its disk is there."
            ) from error
        raise


class Log:
    """The log on SQLite at `path`; the file need not exist before the first append."""

    def __init__(self, path: Path, *, segments: Path | None = None, bell: Path | None = None) -> None:
        self.path = path
        self.segments = segments or path.parent / "segments"
        self.bell = bell or path.parent / "bell" / "log.bell"
        self._recorder: LogRecorder | None = None
        self._reader: Reader | None = None

    def append(
        self, events: Sequence[NewEvent], *, expected: Mapping[str, int] | None = None, writes: Sequence[Write] = ()
    ) -> list[int]:
        """Stores events and writes in one durable transaction and returns the positions.

        Secrets are cut from free text first. `expected` maps streams to the version they must be at (0: new);
        Conflict otherwise. TryAgain when the disk is full or the database busy: nothing was written."""
        if not events and not writes:
            return []
        drafts = [codec.draft(e.stream, e.event, e.caused_by, e.origin) for e in events]
        with sqlite_errors(self.path):
            causes = {e.caused_by for e in events if e.caused_by is not None and e.caused_by > 0}
            roots = {cause: self.at_row(cause).correlation for cause in causes}
            positions = self._writer().append(drafts, now_us(), expected or {}, writes, roots)
        if events:
            self._ring()
        return positions

    def read(
        self, after: int = 0, *, limit: int | None = None, topics: Collection[str] = (), upto: int | None = None
    ) -> Iterator[Recorded]:
        """Events after a position (exclusive) up to one (inclusive), hot and cold alike; erased ones left out."""
        with sqlite_errors(self.path):
            for chunk in self._read().plain(after, limit=limit, topics=topics, upto=upto):
                yield from codec.decode_rows(chunk)

    def stream(self, stream: str) -> list[Recorded]:
        """Every event of one stream, in order."""
        with sqlite_errors(self.path):
            rows = self._read().stream(stream)
            return [r for r in map(codec.decode_row, rows) if r is not None]

    def at_row(self, position: int) -> Row:
        """The stored row at a position. NotFound."""
        row = next(iter(self._read().rows(position - 1, limit=1, upto=position)), None)
        if row is None:
            raise NotFound(f"the log has no position {position}", "`kairos log` lists the positions there are.")
        return row

    def at(self, position: int) -> Recorded:
        """The event at a position. NotFound when there is none or it was erased."""
        with sqlite_errors(self.path):
            recorded = codec.decode_row(self.at_row(position))
        if recorded is None:
            raise NotFound(f"the event at {position} was erased", "`kairos log --type Erased` says why.")
        return recorded

    def version(self, stream: str) -> int:
        """How many events a stream has."""
        with sqlite_errors(self.path):
            return self._read().version(stream)

    def head(self) -> int:
        """The last position, 0 for an empty log."""
        with sqlite_errors(self.path):
            return self._read().head()[0]

    def anchor(self) -> tuple[int, str]:
        """The last position and the hash that stands for everything up to it (hex)."""
        with sqlite_errors(self.path):
            position, link, _ = self._read().head()
            return position, link.hex()

    def sealed_upto(self) -> int:
        """The last position that is in a verified segment."""
        with sqlite_errors(self.path):
            return self._read().head()[2]

    def refuse_unknown(self) -> None:
        """IntegrityError if there is an event type that this program does not know: who acts on the log must not
        pass over what a newer program wrote."""
        with sqlite_errors(self.path):
            for topic in self._read().topics():
                codec.refuse_unknown(topic, 1)

    def view(self, view: str) -> dict[bytes, bytes]:
        """All rows of a view."""
        with sqlite_errors(self.path):
            return self._read().view(view)

    def view_size(self, view: str) -> int:
        """How many rows a view has."""
        with sqlite_errors(self.path):
            return self._read().view_size(view)

    def view_row(self, view: str, key: bytes) -> bytes | None:
        """One row of a view."""
        with sqlite_errors(self.path):
            return self._read().view_row(view, key)

    def kept(self, view: str) -> tuple[bytes | None, int]:
        """(the saved state of a view, its tracking position), as one save left them; (None, 0) without one."""
        with sqlite_errors(self.path):
            return self._read().kept(view)

    def tracking(self, name: str) -> int:
        """The tracking position of a follower or view; 0 if it never ran."""
        with sqlite_errors(self.path):
            return self._read().tracking(name)

    def trackings(self) -> dict[str, int]:
        """Every tracking position by name."""
        with sqlite_errors(self.path):
            return self._read().trackings()

    def reader(self) -> Reader:
        """The reading side, for verification and compaction."""
        return self._read()

    def writer(self) -> LogRecorder:
        """The writing side, for compaction (its transactions are its own)."""
        return self._writer()

    def close(self) -> None:
        """Closes both sides; safe to repeat."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._recorder is not None:
            self._recorder.datastore.close()
            self._recorder = None

    def _read(self) -> Reader:
        if self._reader is None:
            if not self.path.exists():
                self._writer()
            try:
                self._reader = Reader(self.path, self.segments)
            except Unmade:
                self._writer()
                self._reader = Reader(self.path, self.segments)
        return self._reader

    def _writer(self) -> LogRecorder:
        if self._recorder is None:
            from kairos.eventlog.recorder import open_recorder

            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.bell.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._recorder = open_recorder(str(self.path))
        return self._recorder

    def _ring(self) -> None:
        """Wakes followers, after COMMIT: watching the database itself would wake them before the row is visible."""
        bell = os.open(self.bell, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(bell, b"!", 0)  # in place: truncating would cost as much as the append itself
        finally:
            os.close(bell)
