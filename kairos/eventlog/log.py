"""The event log: append, read, streams, views. A `Log` belongs to one thread; `opener.open_log` opens a home's log.

Reading opens the database read-only and imports nothing heavy; the writing side is opened at the first append.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from kairos.clock import now_us
from kairos.errors import Conflict, NotFound, UsageError
from kairos.eventlog import codec
from kairos.eventlog.database import Engine, Leases, Listener, Recorder, Unmade
from kairos.eventlog.reader import Reader
from kairos.eventlog.record import Fence, NewEvent, Recorded, Row, Write
from kairos.eventlog.sqlite.engine import Sqlite


class Log:
    """The log on SQLite at `path`, or with `url` on PostgreSQL; the first append creates it.

    `owner`: the identity of this home if several homes share the log, else empty. `clean`: removes copies, outside of
    the log, of what a forgetting excised. `on_writing`: called once, when the writing side opens."""

    def __init__(
        self,
        path: Path,
        *,
        segments: Path | None = None,
        bell: Path | None = None,
        url: str = "",
        owner: str = "",
        clean: Clean | None = None,
        on_writing: Callable[[Log], object] | None = None,
    ) -> None:
        self.path = path
        self.segments = segments or path.parent / "segments"
        self.url = url
        self.owner = owner
        self.clean = clean
        self._on_writing = on_writing
        self._fences: tuple[Fence, ...] = ()
        self._engine = _engine(path, bell, self.segments, url)
        self._recorder: Recorder | None = None
        self._reader: Reader | None = None
        self._listeners: list[Listener] = []

    @property
    def fences(self) -> tuple[Fence, ...]:
        """The leases that every append now depends on; see `kairos.eventlog.leases`."""
        return self._fences

    @contextmanager
    def fenced(self, fences: Sequence[Fence], *, also: bool = False) -> Iterator[None]:
        """Every append inside depends on these leases: LeaseLost once another holder took one of them over. `also`:
        adds them to the present fences instead of replacing those."""
        before = self._fences
        self._fences = (*before, *fences) if also else tuple(fences)
        try:
            yield
        finally:
            self._fences = before

    def append(
        self, events: Sequence[NewEvent], *, expected: Mapping[str, int] | None = None, writes: Sequence[Write] = ()
    ) -> list[int]:
        """Stores events and writes in one durable transaction and returns the positions.

        Secrets are cut from free text first. `expected` maps streams to the version they must be at (0: new);
        Conflict otherwise, unless all that follows in the stream was forgotten: nobody can know of that. TryAgain when
        the disk is full or the database busy: nothing was written."""
        if not events and not writes:
            return []
        drafts = [codec.draft(e.stream, e.event, e.caused_by, e.origin) for e in events]
        with self._engine.errors():
            all_writes = [*self._fences, *writes] if self._fences else writes
            try:
                positions = self._writer().append(drafts, now_us(), expected or {}, all_writes, self._root_of)
            except Conflict:
                seen = {stream: self._behind_forgotten(stream, at) for stream, at in (expected or {}).items()}
                if seen == expected:
                    raise
                positions = self._writer().append(drafts, now_us(), seen, all_writes, self._root_of)
            if events:
                self._engine.ring()
        return positions

    def _behind_forgotten(self, stream: str, version: int) -> int:
        """The version of a stream, if all its events after `version` were forgotten; else `version`."""
        later = self._read().stream(stream, version + 1) if version > 0 else []
        return later[-1].version if later and all(row.payload is None for row in later) else version

    def read(
        self, after: int = 0, *, limit: int | None = None, topics: Collection[str] = (), upto: int | None = None
    ) -> Iterator[Recorded]:
        """Events after a position (exclusive) up to `upto` (inclusive), hot and cold; erased ones are left out."""
        with self._engine.errors():
            for chunk in self._read().plain(after, limit=limit, topics=topics, upto=upto):
                yield from codec.decode_rows(chunk)

    def stream(self, stream: str) -> list[Recorded]:
        """Every event of one stream, in order."""
        with self._engine.errors():
            rows = self._read().stream(stream)
            return [r for r in map(codec.decode_row, rows) if r is not None]

    def at_row(self, position: int) -> Row:
        """The stored row at a position. NotFound if there is none or it was folded away."""
        row = next(iter(self._read().rows(position - 1, limit=1, upto=position)), None)
        if row is None or not row.topic:
            from kairos.eventlog.cold.jumps import absent  # rarely needed, and it loads the native library

            raise absent(self.read(position, topics={"SegmentFolded"}), position)
        return row

    def at(self, position: int) -> Recorded:
        """The event at a position. NotFound when there is none or it was erased."""
        with self._engine.errors():
            recorded = codec.decode_row(self.at_row(position))
        if recorded is None:
            raise NotFound(f"the event at {position} was erased", "`kairos log --type Erased` says why.")
        return recorded

    def version(self, stream: str) -> int:
        """How many events a stream has."""
        with self._engine.errors():
            return self._read().version(stream)

    def head(self) -> int:
        """The last position, 0 for an empty log."""
        with self._engine.errors():
            return self._read().head()[0]

    def anchor(self) -> tuple[int, str]:
        """The last position and its link, the hash of everything up to it (hex)."""
        with self._engine.errors():
            position, link, _ = self._read().head()
            return position, link.hex()

    def sealed_upto(self) -> int:
        """The last position that is in a verified segment."""
        with self._engine.errors():
            return self._read().head()[2]

    def refuse_unknown(self) -> None:
        """IntegrityError if there is an event type that this program does not know: a program that acts on the log
        must not ignore what a newer version wrote. Events of other applications are exempt."""
        with self._engine.errors():
            for topic in filter(None, self._read().topics()):  # an empty topic marks a jump row
                codec.refuse_unknown(topic, 1)

    def view(self, view: str) -> dict[bytes, bytes]:
        """All rows of a view."""
        with self._engine.errors():
            return self._read().view(view)

    def view_size(self, view: str) -> int:
        """How many rows a view has."""
        with self._engine.errors():
            return self._read().view_size(view)

    def view_row(self, view: str, key: bytes) -> bytes | None:
        """One row of a view."""
        with self._engine.errors():
            return self._read().view_row(view, key)

    def view_rows(self, view: str, first: bytes, before: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """At most `limit` rows (key, value) of a view with first <= key < before, in order."""
        with self._engine.errors():
            return self._read().view_rows(view, first, before, limit)

    def view_keys(self, view: str, first: bytes, before: bytes, limit: int, *, backwards: bool = False) -> list[bytes]:
        """At most `limit` keys of a view from `first` (inclusive) to `before` (exclusive), ascending or descending."""
        with self._engine.errors():
            return self._read().view_keys(view, first, before, limit, backwards=backwards)

    def kept(self, view: str) -> tuple[bytes | None, int]:
        """(saved state of a view, its tracking position), both from the same save; (None, 0) if it was never saved."""
        with self._engine.errors():
            return self._read().kept(view)

    def tracking(self, name: str) -> int:
        """The tracking position of a follower or view; 0 if it has never run."""
        with self._engine.errors():
            return self._read().tracking(name)

    def trackings(self) -> dict[str, int]:
        """Every tracking position by name."""
        with self._engine.errors():
            return self._read().trackings()

    @property
    def name(self) -> str:
        """The location of the log, for messages; contains no password."""
        return self._engine.name

    def of_home(self, view: str) -> str:
        """The name of a view about this home's own files: on a shared log each home has a separate view."""
        return f"{view}/{self.owner}" if self.owner else view

    @property
    def shared(self) -> bool:
        """Whether other homes may write to this log."""
        return self._engine.shared

    def exists(self) -> bool:
        """Whether the log was ever created. Does not create it."""
        with self._engine.errors():
            return self._engine.exists()

    def hot_bytes(self) -> int:
        """Size of the database in bytes."""
        with self._engine.errors():
            return self._engine.size()

    def segment(self, file: str) -> Path:
        """The path of a segment file of the manifest, fetched from the shared log if another home wrote it."""
        return self._engine.segment(file)

    def listener(self) -> Listener:
        """A listener for a follower to wait on; closed with the log."""
        made = self._engine.listener()
        self._listeners.append(made)
        return made

    def leases(self) -> Leases | None:
        """The leases of a shared log, over a connection that the caller closes; None if only one home writes. Creates
        the log if there is none."""
        if not self._engine.shared:
            return None
        with self._engine.errors():
            self._read()
        return self._engine.leases()

    def alone(self) -> AbstractContextManager[None]:
        """Prevents other homes from compacting or forgetting meanwhile. TryAgain if one is doing so."""
        return self._engine.alone()

    def reader(self) -> Reader:
        """The reading side, for verification and compaction."""
        return self._read()

    def writer(self) -> Recorder:
        """The writing side, for compaction, which runs its own transactions."""
        return self._writer()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside comes from one state of the log. Nothing may be appended inside. It should be short:
        the database keeps old pages until it ends. Rewritten (75) if a segment of that state is gone."""
        with self._engine.errors(), self._read().snapshot():
            yield

    def errors(self) -> AbstractContextManager[None]:
        """Translates errors of the database into errors that a user can act on."""
        return self._engine.errors()

    def close(self) -> None:
        """Closes both sides; safe to repeat."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None
        while self._listeners:
            self._listeners.pop().close()
        self._engine.close()

    def _root_of(self, position: int) -> int:
        return self.at_row(position).correlation

    def _read(self) -> Reader:
        if self._reader is None:
            try:
                self._reader = Reader(self._engine.database(), self.segment)
            except Unmade:
                self._writer()  # opening it may open the reader, too
            if self._reader is None:
                self._reader = Reader(self._engine.database(), self.segment)
        return self._reader

    def _writer(self) -> Recorder:
        if self._recorder is None:
            self._recorder = _recorder(self._engine)
            if self._on_writing is not None:
                self._on_writing(self)
        return self._recorder


Clean = Callable[[Log, Sequence[bytes]], None]
"""Removes copies outside of a log that contain one of these byte strings; called with the log."""


def _engine(path: Path, bell: Path | None, segments: Path, url: str) -> Engine:
    """The engine for an address. UsageError for an unknown kind of address, or if psycopg is not installed."""
    if not url:
        return Sqlite(path, bell, segments)
    if not url.startswith(("postgresql://", "postgres://")):
        raise UsageError("the address of the log is not a postgresql:// address", "Correct KAIROS_LOG or `log.url`.")
    try:
        from kairos.eventlog.postgres.engine import Postgres
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("psycopg"):
            raise
        raise UsageError(
            "a log on PostgreSQL needs psycopg, which is not installed",
            "Install the extra: `pip install 'kairos-assistant[postgres]'`.",
        ) from error
    return Postgres(url, segments)


def _recorder(engine: Engine) -> Recorder:
    """The writing side; creates the tables if necessary. Its imports are slow, so readers do not load it."""
    engine.make()
    if isinstance(engine, Sqlite):
        from kairos.eventlog.sqlite.recorder import open_recorder

        return open_recorder(engine)
    from kairos.eventlog.postgres.engine import Postgres
    from kairos.eventlog.postgres.recorder import open_recorder as open_shared

    assert isinstance(engine, Postgres)
    return open_shared(engine)
