"""The statements of one append, for every engine: events with their chain, stream versions, and other writes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from kairos._native import blake3_hash, chain_drafts
from kairos.errors import Conflict
from kairos.eventlog.database import Cursor
from kairos.eventlog.record import Advance, Draft, Drop, Erase, HeadAt, Put, Retire, Seal, Swap, Track, TrackedAt, Write

_COLUMNS = "position, originator_id, originator_version, topic, state, v, at, caused_by, correlation, origin, link"
_ROW = "(?,?,?,?,?,?,?,?,?,?,?)"
_TOGETHER = 50
"""Rows per INSERT statement: one statement per row takes a sixth more time."""
_INSERT = f"INSERT INTO events ({_COLUMNS}) VALUES {_ROW}"
_INSERT_TOGETHER = f"INSERT INTO events ({_COLUMNS}) VALUES {','.join([_ROW] * _TOGETHER)}"
_LOAD = f"INSERT INTO events ({_COLUMNS}, leaf) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
_AT_ONCE = 400
_STREAM = (
    "INSERT INTO streams (stream, version) VALUES (?,?) ON CONFLICT (stream) DO UPDATE SET version = excluded.version"
)
_VIEW = (
    "INSERT INTO views (view, key, value) VALUES (?,?,?) ON CONFLICT (view, key) DO UPDATE SET value = excluded.value"
)
_TRACKING = (
    "INSERT INTO tracking (name, position) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET position = excluded.position"
)
_ADVANCE = f"{_TRACKING} WHERE tracking.position < excluded.position RETURNING position"


def append(
    c: Cursor,
    head: tuple[int, bytes],
    drafts: list[Draft],
    at: int,
    expected: Mapping[str, int],
    writes: Sequence[Write],
    cold_root: Callable[[int], int],
) -> list[int]:
    """Stores drafts after `head` (position, link), then the writes, in the transaction of `c`, which holds the write
    lock. Returns the positions. `cold_root` returns the correlation of a stored event that is no longer hot.

    Conflict if a stream of `expected` is not at that version (-1: new, with 0 as its first version), if the log does
    not end at the position of a `HeadAt`, or if an `Advance` does not increase its tracking position."""
    position, link = head
    streams = {d[0] for d in drafts}.union(expected)
    versions = {stream: min(expected.get(stream, 0), 0) for stream in streams}
    versions |= _looked_up(c, "stream, version", "streams", "stream", streams)
    for stream, version in expected.items():
        if versions[stream] != version:
            raise Conflict(
                f"{stream} is at version {versions[stream]}, not {version}: another process wrote first",
                "Look at it again, then decide.",
            )
    if any(isinstance(write, HeadAt) and write.position != position for write in writes):
        raise Conflict("another process wrote to the log in between", "Look at it again, then decide.")
    if drafts:
        causes = {d[4] for d in drafts if d[4] is not None and d[4] > 0}
        roots = _looked_up(c, "position, correlation", "events", "position", causes)
        roots.update((cause, cold_root(cause)) for cause in causes - roots.keys())
        rows = chain_drafts(link, position + 1, at, versions, roots, drafts)
        _insert(c, rows)
        for counted in {row[1]: row[2] for row in rows}.items():
            c.execute(_STREAM, counted)
        c.execute("UPDATE head SET position = ?, link = ? WHERE id = 1", (rows[-1][0], rows[-1][-1]))
    for write in writes:
        _write(c, write)
    return list(range(position + 1, position + 1 + len(drafts)))


def _insert(c: Cursor, rows: list[tuple[Any, ...]]) -> None:
    whole = len(rows) - len(rows) % _TOGETHER
    for first in range(0, whole, _TOGETHER):
        c.execute(_INSERT_TOGETHER, [*chain.from_iterable(rows[first : first + _TOGETHER])])
    for row in rows[whole:]:
        c.execute(_INSERT, row)


def _looked_up(c: Cursor, columns: str, table: str, key: str, wanted: Collection[Any]) -> dict[Any, int]:
    """A mapping of key to number, for the wanted keys that are in the table."""
    found: dict[Any, int] = {}
    names = list(wanted)
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        c.execute(f"SELECT {columns} FROM {table} WHERE {key} IN ({','.join('?' * len(some))})", some)
        found.update(c.fetchall())
    return found


def _write(c: Cursor, write: Write) -> None:
    match write:
        case Put(view, key, value):
            c.execute(_VIEW, (view, key, value))
        case Drop(view, None):
            c.execute("DELETE FROM views WHERE view = ?", (view,))
        case Drop(view, key):
            c.execute("DELETE FROM views WHERE view = ? AND key = ?", (view, key))
        case Track(name, position):
            c.execute(_TRACKING, (name, position))
        case TrackedAt(name, position):
            c.execute("SELECT position FROM tracking WHERE name = ?", (name,))
            row = c.fetchone()
            if (row[0] if row is not None else 0) != position:
                raise Conflict(f"{name} was saved by another process meanwhile", "Look at it again, then decide.")
        case Advance(name, position):
            c.execute(_ADVANCE, (name, position))
            if c.fetchone() is None:
                raise Conflict(f"{name} is at {position} or further already", "Look at it again, then decide.")
        case Seal(first, last, file, size, digest, before, after):
            c.execute("INSERT INTO segments VALUES (?,?,?,?,?,?,?,0)", (first, last, file, size, digest, before, after))
            c.execute("UPDATE head SET sealed_upto = ? WHERE sealed_upto = ?", (last, first - 1))
        case Retire(first, last, finished):
            c.execute(
                "DELETE FROM events WHERE position BETWEEN ? AND ? AND position <= (SELECT sealed_upto FROM head)",
                (first, last),
            )
            if finished:
                c.execute("UPDATE segments SET retired = 1 WHERE first = ?", (first,))
        case Erase(positions):
            for position in positions:
                _erase(c, position)
        case Swap(first, file, size, digest):
            c.execute(
                "UPDATE segments SET file = ?, bytes = ?, digest = ? WHERE first = ?", (file, size, digest, first)
            )


def _erase(c: Cursor, position: int) -> None:
    """Removes the payload of a hot row and stores its hash instead."""
    c.execute("SELECT state FROM events WHERE position = ?", (position,))
    row = c.fetchone()
    if row is not None and row[0] is not None:
        c.execute("UPDATE events SET state = NULL, leaf = ? WHERE position = ?", (blake3_hash(row[0]), position))


def load(c: Cursor, rows: Iterator[tuple[Any, ...]], head: int, link: bytes, tracking: Mapping[str, int]) -> None:
    """Stores complete rows and tracking positions in an empty log, in the transaction of `c`. Conflict if the log is
    not empty."""
    c.execute("UPDATE head SET position = ?, link = ? WHERE position = 0 RETURNING id", (head, link))
    if c.fetchone() is None:
        raise Conflict("another process wrote to the log first", "Import into an empty home.")
    versions: dict[str, int] = {}

    def counted() -> Iterator[tuple[Any, ...]]:
        for row in rows:
            if row[3]:  # a jump row belongs to no stream
                versions[row[1]] = row[2]
            yield row

    c.executemany(_LOAD, counted())
    c.executemany(_STREAM, versions.items())
    c.executemany(_TRACKING, tracking.items())
