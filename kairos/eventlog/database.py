"""What an engine gives: a connection to read with, a recorder to write with, and what its errors mean.

Both sides speak the same portable SQL with `?` for parameters; an engine holds only what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from kairos.eventlog.record import Draft, Write


class Unmade(Exception):
    """The database is empty or of an earlier layout: a writer makes it, or brings it up to date."""


class Sink(Protocol):
    """Takes rows for a segment; see `SegmentWriter` of the native floor."""

    def add(self, rows: Iterable[tuple[Any, ...]], /) -> int: ...
    def add_hot(self, module: str, uri: str, sql: str, numbers: list[int], /) -> int | None: ...


class Database(Protocol):
    """One connection that only reads."""

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Every row of a query."""

    def feed(self, sink: Sink, sql: str, numbers: list[int]) -> int:
        """Gives the rows of a query to a sink, from one state of the log; returns how many."""

    def snapshot(self) -> AbstractContextManager[None]:
        """A read transaction: the queries in it see one state of the log. Within another it is part of that one."""

    def close(self) -> None: ...


class Cursor(Protocol):
    """What a write transaction runs its statements on."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Any: ...
    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Any: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...


class Recorder(Protocol):
    """The writing side. Every method is one durable transaction of its own."""

    def append(
        self,
        drafts: list[Draft],
        at: int,
        expected: Mapping[str, int],
        writes: Sequence[Write],
        cold_root: Callable[[int], int],
    ) -> list[int]:
        """Stores drafts and writes, all or nothing; returns positions. `cold_root` gives the correlation of a stored
        event that is no longer hot. Conflict if a stream of `expected` is not at that version."""

    def load(self, rows: Iterator[tuple[Any, ...]], head: int, link: bytes, tracking: Mapping[str, int]) -> None:
        """Stores ready rows and tracking positions in an empty log, all or nothing."""

    def purge(self) -> bool:
        """Leaves no old bytes in free pages or the write-ahead log; False when a reader kept it from being emptied."""

    def shrink(self) -> None:
        """Gives freed pages back to the file system, a few at a time."""

    def close(self) -> None: ...


FALLBACK_S = 600.0
"""How long a follower of one home's log sleeps at most. The bell rings after every COMMIT: only a writer that is killed
between the two leaves news without it, until the next append."""
SHARED_FALLBACK_S = 30.0
"""The same for a shared log: a connection can die without a sign."""


class Listener(Protocol):
    """How a follower sleeps."""

    def wait(self, timeout_s: float) -> None:
        """Returns when somebody appended, `wake` was called or the timeout passed; now and then for no reason."""

    def wake(self) -> None:
        """Ends the present `wait`, from any thread."""

    def close(self) -> None: ...


class Lease(NamedTuple):
    """Who holds a name now, and with which token."""

    name: str
    holder: str
    token: int


class Leases(Protocol):
    """The leases of a shared log. Time is the server's; a token of a name never comes twice. TryAgain while the server
    is away."""

    def take(self, name: str, holder: str, seconds: float) -> int | None:
        """The token under which `holder` has the name from now on, None while somebody else has it. What a former
        life of the same holder had is taken, too; the token rises."""

    def renew(self, name: str, token: int, seconds: float) -> bool:
        """Keeps it for so long from now; False if it was taken over."""

    def give_up(self, name: str, token: int) -> None:
        """Lets go of it; what was fenced with the token is refused from now on."""

    def current(self) -> list[Lease]:
        """Every lease that somebody holds now, by name."""

    def close(self) -> None: ...


class Engine(Protocol):
    """A kind of database that holds a log."""

    shared: bool
    """Whether several homes may share the log."""

    @property
    def name(self) -> str:
        """Where the log is, for messages; no password in it."""

    def database(self) -> Database:
        """The reading side. Unmade when a writer must come first."""

    def make(self) -> None:
        """Makes the tables where they are absent, or brings them up to date."""

    def errors(self) -> AbstractContextManager[None]:
        """Turns what the database raises into errors a person can act on."""

    def ring(self) -> None:
        """Wakes followers, after COMMIT."""

    def listener(self) -> Listener:
        """What a follower waits with."""

    def exists(self) -> bool:
        """Whether a log was ever made here. Asking makes none."""

    def size(self) -> int:
        """Bytes that the hot log takes."""

    def segment(self, file: str) -> Path:
        """Where a segment file of the manifest lies, brought there if another home made it."""

    def leases(self) -> Leases | None:
        """The leases of a shared log; None where only one home writes."""

    def alone(self) -> AbstractContextManager[None]:
        """TryAgain while another home compacts or forgets."""

    def close(self) -> None: ...
