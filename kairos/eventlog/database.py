"""The interfaces of an engine: a connection to read with, a recorder to write with, listeners and leases.

All engines run the same portable SQL with `?` for parameters; an engine implements only what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from kairos.eventlog.record import Draft, Write

E = TypeVar("E", bound=BaseException)


class Unmade(Exception):
    """The database is empty or has an earlier layout: a writer must create or upgrade it first."""


def cause_of(error: BaseException, kinds: type[E] | tuple[type[E], ...]) -> E | None:
    """The error of the database behind an error, itself included; None if there is none of these kinds."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, kinds):
        cause = cause.__cause__
    return cause


class Sink(Protocol):
    """Receives rows for a segment; see `SegmentWriter` in `kairos._native`."""

    def add(self, rows: Iterable[tuple[Any, ...]], /) -> int: ...
    def add_hot(self, module: str, uri: str, sql: str, numbers: list[int], /) -> int | None: ...


class Database(Protocol):
    """A read-only connection."""

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Every row of a query."""

    def feed(self, sink: Sink, sql: str, numbers: list[int]) -> int:
        """Passes the rows of a query to a sink, from one state of the log; returns how many."""

    def snapshot(self) -> AbstractContextManager[None]:
        """A read transaction: its queries see one state of the log. Nested in another, it joins that one."""

    def close(self) -> None: ...


class Cursor(Protocol):
    """The cursor on which a write transaction runs its statements."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Any: ...
    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Any: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...


class Recorder(Protocol):
    """The writing side. Every call is one durable transaction."""

    def append(
        self,
        drafts: list[Draft],
        at: int,
        expected: Mapping[str, int],
        writes: Sequence[Write],
        cold_root: Callable[[int], int],
    ) -> list[int]:
        """Stores drafts and writes, all or nothing; returns positions. `cold_root` returns the correlation of a stored
        event that is no longer hot. Conflict if a stream of `expected` is not at that version."""

    def load(self, rows: Iterator[tuple[Any, ...]], head: int, link: bytes, tracking: Mapping[str, int]) -> None:
        """Stores complete rows and tracking positions in an empty log, all or nothing. Conflict if it is not empty."""

    def purge(self) -> bool:
        """Removes old bytes from free pages and the write-ahead log; False if a reader kept that log from being
        emptied."""

    def shrink(self) -> None:
        """Returns freed pages to the file system, a few at a time."""

    def close(self) -> None: ...


FALLBACK_S = 600.0
"""How long (s) a follower of one home's log sleeps at most. The bell rings after every COMMIT, so a notification is
missing only if a writer is killed between the two, and then only until the next append."""
SHARED_FALLBACK_S = 30.0
"""The same for a shared log, where a connection can break unnoticed."""


class Listener(Protocol):
    """Lets a follower sleep until the next append."""

    def wait(self, timeout_s: float) -> None:
        """Returns after an append, after `wake`, or when the timeout has passed; may also return spuriously."""

    def wake(self) -> None:
        """Ends the present `wait`, from any thread."""

    def close(self) -> None: ...


class Lease(NamedTuple):
    """A lease with its present holder and token."""

    name: str
    holder: str
    token: int


class Leases(Protocol):
    """The leases of a shared log. They expire by the server's clock; the tokens of a name are never reused. TryAgain
    while the server is unavailable."""

    def take(self, name: str, holder: str, seconds: float) -> int | None:
        """Takes a lease and returns its token; None while another holder has it. A lease that an earlier process of
        the same holder still has is taken over, with a higher token."""

    def renew(self, name: str, token: int, seconds: float) -> bool:
        """Extends the lease to `seconds` from now; False if it was taken over."""

    def give_up(self, name: str, token: int) -> None:
        """Releases the lease; appends fenced with the token are refused from now on."""

    def current(self) -> list[Lease]:
        """Every lease that is held now, sorted by name."""

    def close(self) -> None: ...


class Engine(Protocol):
    """A kind of database that holds a log."""

    shared: bool
    """Whether several homes may share the log."""

    @property
    def name(self) -> str:
        """The location of the log, for messages; contains no password."""

    def database(self) -> Database:
        """The reading side. Unmade if a writer must create or upgrade the tables first."""

    def make(self) -> None:
        """Creates the tables if there are none, or upgrades them."""

    def errors(self) -> AbstractContextManager[None]:
        """Translates errors of the database into errors that a user can act on."""

    def ring(self) -> None:
        """Wakes followers; called after COMMIT."""

    def listener(self) -> Listener:
        """A listener for a follower to wait on."""

    def exists(self) -> bool:
        """Whether a log was ever created here. Does not create one."""

    def size(self) -> int:
        """Size of the hot log in bytes."""

    def segment(self, file: str) -> Path:
        """The path of a segment file of the manifest, fetched first if another home wrote it."""

    def leases(self) -> Leases | None:
        """The leases of a shared log; None if only one home writes."""

    def alone(self) -> AbstractContextManager[None]:
        """Prevents other homes from compacting or forgetting meanwhile. TryAgain if one is doing so."""

    def close(self) -> None: ...
