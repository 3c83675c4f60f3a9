"""The types that are written to the log and read from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from kairos.domain.events import Event
from kairos.errors import LeaseLost

FROM_ZERO = "from-zero"
"""The view with a row for each stream of foreign events whose first version is 0. All other streams begin with 1."""
UPSTREAM = "upstream/"
"""Prefix of the names of tracking positions of foreign applications; these are positions in *their* upstreams."""

Origin = Literal["live", "offline", "self", "baseline", "history", "user", "system", "foreign"]


class NewEvent(msgspec.Struct, frozen=True):
    """An event to append. `caused_by` is a position, or negative: -1 is the event just before it in the same
    append, -2 the one before that. None makes it a root whose correlation is its own position."""

    stream: str
    event: Event
    caused_by: int | None = None
    origin: Origin = "live"


class ForeignEvent(Event, frozen=True):
    """An event that another application stored in this log, reduced to its size. Kairos does not act on it."""

    bytes: int


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event as stored. `version` counts from 1 in its stream; `at` in microseconds since the epoch, UTC."""

    position: int
    stream: str
    version: int
    topic: str
    v: int
    at: int
    caused_by: int | None
    correlation: int
    origin: Origin
    event: Event


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A stored row before decoding: hot from the database or cold from a segment. `payload` is None if erased."""

    position: int
    stream: str
    version: int
    topic: str
    v: int
    at: int
    caused_by: int | None
    correlation: int
    origin: Origin
    payload: bytes | None
    leaf: bytes
    link: bytes


def row_of(plain: Sequence[Any]) -> Row:
    """A row from a segment: leaf and link, which can be computed from the content, are empty if not stored."""
    return Row(*(*plain[:10], plain[10] or b"", b""))


def hot_row(values: Sequence[Any]) -> Row:
    """A row from the database, given as (header fields, payload, leaf or None, link)."""
    return Row(*(*values[:10], values[10] or b"", values[11]))


def header_of(row: Row) -> Header:
    """The header fields of a row, in the order in which they are hashed."""
    return (
        row.position, row.stream, row.version, row.topic, row.v, row.at, row.caused_by, row.correlation, row.origin,
    )  # fmt: skip


Header = tuple[int, str, int, str, int, int, int | None, int, Origin]
"""(position, stream, version, topic, v, at, caused_by, correlation, origin)."""

Plain = tuple[int, str, int, str, int, int, int | None, int, Origin, bytes | None]
"""The part of a row that decoding needs: its header fields and payload, in the order of `Row`."""

Draft = tuple[str, str, int, bytes, int | None, Origin]
"""An encoded event to append: (stream, topic, v, payload, caused_by, origin)."""


class Manifested(NamedTuple):
    """A row of the manifest: a segment of positions first..last, the size (bytes) and BLAKE3 of its file, the links
    before and after it, and whether its hot rows were removed."""

    first: int
    last: int
    file: str
    size: int
    digest: bytes
    before: bytes
    after: bytes
    retired: int


class Put(msgspec.Struct, frozen=True):
    """Set one row of a view (or snapshot) in the transaction of the append."""

    view: str
    key: bytes
    value: bytes


class Drop(msgspec.Struct, frozen=True):
    """Remove one row of a view, or all rows if `key` is None."""

    view: str
    key: bytes | None = None


class Track(msgspec.Struct, frozen=True):
    """Set the tracking position of a follower or a view."""

    name: str
    position: int


class Advance(msgspec.Struct, frozen=True):
    """Move a tracking position forward: Conflict unless it increases."""

    name: str
    position: int


class TrackedAt(msgspec.Struct, frozen=True):
    """Refuse the append with Conflict unless the tracking position of `name` is still this one."""

    name: str
    position: int


class Seal(msgspec.Struct, frozen=True):
    """Add a verified segment file to the manifest and move `sealed_upto` to its end."""

    first: int
    last: int
    file: str
    size: int
    digest: bytes
    before: bytes
    after: bytes


class Retire(msgspec.Struct, frozen=True):
    """Remove the hot rows of a sealed range; `finished` marks its segment as retired."""

    first: int
    last: int
    finished: bool = False


class Erase(msgspec.Struct, frozen=True):
    """Remove the payloads of hot rows; their hashes are kept."""

    positions: list[int]


class Swap(msgspec.Struct, frozen=True):
    """Replace the file of the segment that begins at `first` in the manifest by another verified file."""

    first: int
    file: str
    size: int
    digest: bytes


class HeadAt(msgspec.Struct, frozen=True):
    """Refuse the append with Conflict unless the log still ends at `position`."""

    position: int


class Fence(msgspec.Struct, frozen=True):
    """Refuse the append with LeaseLost unless the lease `name` still has this token. Shared logs only."""

    name: str
    token: int

    def lost(self) -> LeaseLost:
        return LeaseLost(
            f"the lease on {self.name} was taken over by another home; nothing was written",
            "The home that holds it continues the work.",
        )


Write = Put | Drop | Track | TrackedAt | Advance | Seal | Retire | Erase | Swap | HeadAt | Fence
