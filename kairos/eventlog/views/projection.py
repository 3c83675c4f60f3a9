"""Projections: saved folds of the log, each with its tracking position.

A reader loads the saved state and folds the tail in memory, so every read is fresh; the daemon saves states with
their tracking position in one transaction. A saved state is disposable: if it is missing, damaged, ahead of the log
or of another `version`, it is not used and the fold starts from the beginning of the log.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

import msgspec

from kairos.errors import Conflict, IntegrityError
from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop, Put, Recorded, Track, Write

S = TypeVar("S", bound=msgspec.Struct)
_TRIES = 3
STATE = b"state"
"""The key of the row that contains the state."""


class DamagedView(IntegrityError):
    """A row of a saved view is damaged or missing: the view must be folded again from the log."""

    def __init__(self, view: str) -> None:
        self.view = view
        super().__init__(f"a saved row of {view} is damaged", "`kairos dream` builds it again from the log.")


class Projection(Generic[S]):
    """Subclasses set `name`, `version`, `state`, `topics` and define `apply`, which may change `state` in place.

    Increment `version` whenever `apply` or the fields of the state change."""

    name: str
    version: int = 1
    state: type[Any]
    topics: frozenset[str]
    at_once: int | None = None
    """After how many events a long fold is saved, if the state keeps in memory only what was not saved yet."""

    def apply(self, state: S, recorded: Recorded) -> None:
        """Folds one event into the state. Pure apart from `state`: no clock, no IO."""
        raise TypeError(f"{type(self).__name__} defines no apply")

    @property
    def key(self) -> str:
        """The name of the view that contains its rows, and of its tracking position."""
        return f"snapshot/{self.name}@{self.version}"

    def load(self, log: Log, *, upto: int | None = None, fresh: bool = False) -> tuple[S, int]:
        """The fold up to a position (default: the head), as (state, position). `fresh` ignores the saved state."""
        state, position = (None, 0) if fresh else self.kept(log, log.head() if upto is None else upto)
        if state is None:
            state, position = self.state(), 0
        return state, self.advance(state, log, position, upto=upto)

    def kept(self, log: Log, upto: int) -> tuple[S | None, int]:
        """Returns (saved state, its position) if it can be used for a fold up to `upto`; otherwise (None, 0)."""
        raw, position = self._saved(log, upto)
        if raw is None:
            return None, 0
        try:
            return self.decode(raw), position
        except (msgspec.MsgspecError, ValueError):
            return None, 0  # damaged, but disposable: it is folded again from the log

    def _saved(self, log: Log, upto: int) -> tuple[bytes | None, int]:
        """(content of the saved state, its position) if that can be used for a fold up to `upto`; else (None, 0)."""
        raw, position = log.kept(self.key)
        if raw is None or position > log.head() or not self._holds(log, upto, position):
            return None, 0
        try:
            return checked(raw), position
        except ValueError:
            return None, 0

    def _holds(self, log: Log, upto: int, position: int) -> bool:
        """Whether the fold up to `position` equals the fold up to `upto`."""
        return position <= upto or next(log.read(upto, topics=self.topics, upto=position), None) is None

    def advance(self, state: S, log: Log, position: int, *, upto: int | None = None) -> int:
        """Folds the events after `position` into `state`; returns the new position."""
        head = log.head() if upto is None else upto
        if position < head:
            for recorded in log.read(position, topics=self.topics, upto=head):
                self.apply(state, recorded)
        return max(position, head)

    def saving(self, state: S, position: int) -> list[Write]:
        """The writes that save this state; append them with events or alone."""
        return [Put(self.key, STATE, sealed(self.encode(state))), Track(self.key, position)]

    def saved(self, state: S, log: Log) -> None:
        """Called after the writes of `saving` were appended to a log."""

    def encode(self, state: S) -> bytes:
        """Canonical bytes of a state: equal states give equal bytes."""
        return msgspec.json.encode(state, order="sorted")

    def decode(self, raw: bytes) -> S:
        state: S = msgspec.json.decode(raw, type=self.state)
        return state


def keep_views(log: Log, views: Iterable[Projection[Any]]) -> None:
    """Saves views at the head, so that later readers start there and sealing is not held back. Drops saved states of
    earlier versions, and damaged ones."""
    names = log.reader().view_names()
    for view in views:
        for left in reversed(range(_TRIES)):
            try:
                _keep(log, view, [name for name in names if _is_earlier(view, name)])
                break
            except DamagedView:
                log.append([], writes=[Drop(view.key)])
                if not left:
                    raise
            except Conflict:  # another process saved the view meanwhile
                if not left:
                    raise


def _keep(log: Log, view: Projection[Any], earlier: list[str]) -> None:
    head = log.head()
    state, before = view.kept(log, head)
    fold = view.state() if state is None else state
    news = False
    for number, recorded in enumerate(log.read(before, topics=view.topics, upto=head), 1):
        view.apply(fold, recorded)
        news = True
        if view.at_once is not None and number % view.at_once == 0:
            log.append([], writes=view.saving(fold, recorded.position))
            view.saved(fold, log)
    writes: list[Write] = [Drop(name) for name in earlier]
    if state is None or news:
        writes += view.saving(fold, head)
    elif before < head:
        writes.append(Track(view.key, head))
    log.append([], writes=writes)


def _is_earlier(view: Projection[Any], name: str) -> bool:
    stem, _, version = name.rpartition("@")
    return stem == f"snapshot/{view.name}" and version.isdigit() and int(version) < view.version


def sealed(state: bytes) -> bytes:
    """A state prefixed with its checksum (CRC-32, 4 bytes big endian)."""
    return zlib.crc32(state).to_bytes(4, "big") + state


def checked(raw: bytes) -> bytes:
    """The state without its checksum. ValueError if the checksum does not match."""
    if zlib.crc32(raw[4:]).to_bytes(4, "big") != raw[:4]:
        raise ValueError("a saved view is damaged")
    return raw[4:]
