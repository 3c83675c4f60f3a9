"""Index keys of a view: rows without a value, read from the database by range and never all at once."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop, Put, Track, Write
from kairos.eventlog.views.projection import STATE, Projection, sealed

_FEW, _MANY = 4, 2_048


class Index:
    """The keys of a view's rows as saved in a log, overlaid with those added and removed since. Without a log nothing
    is saved yet."""

    def __init__(self, view: str, log: Log | None = None) -> None:
        self.view = view
        self.log = log
        self._changed: dict[bytes, bool] = {}
        """Key → True if added since the last save, False if removed."""
        self._sorted: list[bytes] | None = None

    def add(self, keys: Iterable[bytes]) -> None:
        for key in keys:
            self._set(key, there=True)

    def remove(self, keys: Iterable[bytes]) -> None:
        for key in keys:
            self._set(key, there=False)

    def __contains__(self, key: bytes) -> bool:
        if key in self._changed:
            return self._changed[key]
        return self.log is not None and bool(self.log.view_keys(self.view, key, key + b"\0", 1))

    def under(self, prefix: bytes, *, backwards: bool = False) -> Iterator[bytes]:
        """The keys that begin with a prefix, without the prefix, in order."""
        for key in self.between(prefix, after(prefix), backwards=backwards):
            yield key[len(prefix) :]

    def between(self, first: bytes, before: bytes, *, backwards: bool = False) -> Iterator[bytes]:
        """The keys from `first` up to but not including `before`, in order."""
        if self._sorted is None:
            self._sorted = sorted(self._changed)
        some = self._sorted[bisect_left(self._sorted, first) : bisect_left(self._sorted, before)]
        here = [key for key in some if self._changed[key]]
        stored = stored_keys(self.log, self.view, first, before, backwards=backwards)
        stored = (key for key in stored if key not in self._changed)
        return heapq.merge(reversed(here) if backwards else here, stored, reverse=backwards)

    def writes(self) -> list[Write]:
        """The writes that save the changes."""
        return [Put(self.view, k, b"") if there else Drop(self.view, k) for k, there in sorted(self._changed.items())]

    def saved(self, log: Log) -> None:
        """Called after `writes` were appended to the log."""
        self.log = log
        self._changed.clear()
        self._sorted = None

    def _set(self, key: bytes, *, there: bool) -> None:
        if key not in self._changed:
            self._sorted = None
        self._changed[key] = there


def stored_keys(log: Log | None, view: str, first: bytes, before: bytes, *, backwards: bool = False) -> Iterator[bytes]:
    """The saved keys of a view from `first` up to but not including `before`, fetched in growing chunks: small at
    first, because most callers need only the nearest keys."""
    chunk = _FEW
    while log is not None:
        found = log.view_keys(view, first, before, chunk, backwards=backwards)
        yield from found
        if len(found) < chunk:
            return
        first, before = (first, found[-1]) if backwards else (found[-1] + b"\0", before)
        chunk = min(2 * chunk, _MANY)


def after(prefix: bytes) -> bytes:
    """The first key after all keys that begin with a prefix. The prefix must not end with 0xff."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


class Indexed(msgspec.Struct):
    """A state that consists only of index keys."""

    index: Index


K = TypeVar("K", bound=Indexed)


class IndexView(Projection[K]):
    """Saves one row for each key: loading reads none of them, saving writes only those that changed."""

    at_once = 50_000

    def kept(self, log: Log, upto: int) -> tuple[K | None, int]:
        raw, position = self._saved(log, upto)
        return (None, 0) if raw is None else (self.state(Index(self.key, log)), position)

    def saving(self, state: K, position: int) -> list[Write]:
        whole = [Drop(self.key)] if state.index.log is None else []  # removes rows left by an earlier fold
        return [*whole, *state.index.writes(), Put(self.key, STATE, sealed(b"")), Track(self.key, position)]

    def saved(self, state: K, log: Log) -> None:
        state.index.saved(log)

    def encode(self, state: K) -> bytes:
        keys = [key.hex() for key in state.index.between(b"", b"\xff" * 64) if key != STATE]
        return msgspec.json.encode(keys)

    def decode(self, raw: bytes) -> K:
        state: K = self.state()
        state.index.add(map(bytes.fromhex, msgspec.json.decode(raw, type=list[str])))
        return state
