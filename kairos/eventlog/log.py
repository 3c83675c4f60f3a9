"""The event log: append, read, streams, views. One `Log` belongs to one thread; `opener.open_log` opens that of a home.

Reading opens the database read-only and imports nothing heavy; the writing side is opened at the first append.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from kairos.clock import now_us
from kairos.errors import NotFound, UsageError
from kairos.eventlog import codec
from kairos.eventlog.database import Engine, Leases, Listener, Recorder, Unmade
from kairos.eventlog.reader import Reader
from kairos.eventlog.record import Fence, NewEvent, Recorded, Row, Write
from kairos.eventlog.sqlite.engine import Sqlite


class Log:
    """The log on SQLite at `path`, or with `url` on PostgreSQL; nothing need exist before the first append.

    `owner`: which home this is where several share a log, else empty. `clean`: removes what lies outside of the log
    and holds what a forgetting excised. `on_writing`: called once, when the writing side opens."""

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
        """The leases that every append rests on now; see `kairos.eventlog.leases`."""
        return self._fences

    @contextmanager
    def fenced(self, fences: Sequence[Fence], *, also: bool = False) -> Iterator[None]:
        """Every append within rests on these leases: LeaseLost once one of them was taken over. `also`: beside those
        that appends rest on already, not instead."""
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
        Conflict otherwise. TryAgain when the disk is full or the database busy: nothing was written."""
        if not events and not writes:
            return []
        drafts = [codec.draft(e.stream, e.event, e.caused_by, e.origin) for e in events]
        with self._engine.errors():
            all_writes = [*self._fences, *writes] if self._fences else writes
            positions = self._writer().append(drafts, now_us(), expected or {}, all_writes, self._root_of)
            if events:
                self._engine.ring()
        return positions

    def read(
        self, after: int = 0, *, limit: int | None = None, topics: Collection[str] = (), upto: int | None = None
    ) -> Iterator[Recorded]:
        """Events after a position (exclusive) up to one (inclusive), hot and cold alike; erased ones left out."""
        with self._engine.errors():
            for chunk in self._read().plain(after, limit=limit, topics=topics, upto=upto):
                yield from codec.decode_rows(chunk)

    def stream(self, stream: str) -> list[Recorded]:
        """Every event of one stream, in order."""
        with self._engine.errors():
            rows = self._read().stream(stream)
            return [r for r in map(codec.decode_row, rows) if r is not None]

    def at_row(self, position: int) -> Row:
        """The stored row at a position. NotFound, also of one that was folded away."""
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
        """The last position and the hash that stands for everything up to it (hex)."""
        with self._engine.errors():
            position, link, _ = self._read().head()
            return position, link.hex()

    def sealed_upto(self) -> int:
        """The last position that is in a verified segment."""
        with self._engine.errors():
            return self._read().head()[2]

    def refuse_unknown(self) -> None:
        """IntegrityError if there is an event type that this program does not know: who acts on the log must not
        pass over what a newer program wrote. Other applications' events are theirs."""
        with self._engine.errors():
            for topic in filter(None, self._read().topics()):  # none: it stands for folded positions
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

    def view_keys(self, view: str, first: bytes, before: bytes, limit: int, *, backwards: bool = False) -> list[bytes]:
        """The keys of a view from `first` up to and without `before`, ascending or backwards, at most so many."""
        with self._engine.errors():
            return self._read().view_keys(view, first, before, limit, backwards=backwards)

    def kept(self, view: str) -> tuple[bytes | None, int]:
        """(the saved state of a view, its tracking position), as one save left them; (None, 0) without one."""
        with self._engine.errors():
            return self._read().kept(view)

    def tracking(self, name: str) -> int:
        """The tracking position of a follower or view; 0 if it never ran."""
        with self._engine.errors():
            return self._read().tracking(name)

    def trackings(self) -> dict[str, int]:
        """Every tracking position by name."""
        with self._engine.errors():
            return self._read().trackings()

    @property
    def name(self) -> str:
        """Where the log is, for messages; no password in it."""
        return self._engine.name

    def of_home(self, view: str) -> str:
        """The name of a view that tells of this home's own files: on a shared log each home has its own."""
        return f"{view}/{self.owner}" if self.owner else view

    @property
    def shared(self) -> bool:
        """Whether other homes may write to it, too."""
        return self._engine.shared

    def exists(self) -> bool:
        """Whether anything was ever recorded. Asking makes nothing."""
        with self._engine.errors():
            return self._engine.exists()

    def hot_bytes(self) -> int:
        """Bytes that the database takes."""
        with self._engine.errors():
            return self._engine.size()

    def segment(self, file: str) -> Path:
        """Where a segment file of the manifest is, fetched from the shared log if another home made it."""
        return self._engine.segment(file)

    def listener(self) -> Listener:
        """What a follower waits with; closed with the log."""
        made = self._engine.listener()
        self._listeners.append(made)
        return made

    def leases(self) -> Leases | None:
        """The leases of a shared log, over a connection that the caller closes; None where one home writes. The log is
        made if there is none."""
        if not self._engine.shared:
            return None
        with self._engine.errors():
            self._read()
        return self._engine.leases()

    def alone(self) -> AbstractContextManager[None]:
        """Keeps other homes from compacting or forgetting meanwhile. TryAgain if one does."""
        return self._engine.alone()

    def reader(self) -> Reader:
        """The reading side, for verification and compaction."""
        return self._read()

    def writer(self) -> Recorder:
        """The writing side, for compaction (its transactions are its own)."""
        return self._writer()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside is of one state of the log. Nothing may be appended inside, and it should be short:
        the database keeps old pages as long. Rewritten (75) if a segment of that state is gone."""
        with self._engine.errors(), self._read().snapshot():
            yield

    def errors(self) -> AbstractContextManager[None]:
        """Turns what the database raises into errors a person can act on."""
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
                self._writer()  # which reads, too
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
"""Removes what lies outside of a log and holds one of these byte strings; called with the log."""


def _engine(path: Path, bell: Path | None, segments: Path, url: str) -> Engine:
    """UsageError for an address of no known kind, and where what PostgreSQL needs is not installed."""
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
    """The writing side, of tables that are there. What it imports is heavy, and readers do without."""
    engine.make()
    if isinstance(engine, Sqlite):
        from kairos.eventlog.sqlite.recorder import open_recorder

        return open_recorder(engine)
    from kairos.eventlog.postgres.engine import Postgres
    from kairos.eventlog.postgres.recorder import open_recorder as open_shared

    assert isinstance(engine, Postgres)
    return open_shared(engine)
