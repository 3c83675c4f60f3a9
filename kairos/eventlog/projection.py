"""Projections: folds of the log kept for reading, each with its tracking position.

A reader loads the saved state and folds the tail in memory, so every read is fresh; the daemon saves states with
their tracking position in one transaction. A saved state is disposable: another `version` starts from nothing.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from kairos.eventlog.log import Log
from kairos.eventlog.record import Put, Recorded, Track, Write

S = TypeVar("S", bound=msgspec.Struct)


class Projection(Generic[S]):
    """Subclasses set `name`, `version`, `state`, `topics` and define `apply`, which may change `state` in place."""

    name: str
    version: int = 1
    state: type[Any]
    topics: frozenset[str]

    def apply(self, state: S, recorded: Recorded) -> None:
        """Folds one event into the state. Pure apart from `state`: no clock, no IO."""
        raise TypeError(f"{type(self).__name__} defines no apply")

    @property
    def key(self) -> str:
        return f"snapshot/{self.name}@{self.version}"

    def load(self, log: Log, *, upto: int | None = None, fresh: bool = False) -> tuple[S, int]:
        """(state, position) of the fold up to a position (default: the head). `fresh` ignores the saved state."""
        raw, position = (None, 0) if fresh else log.kept(self.key)
        if raw is None or (upto is not None and position > upto):
            state, position = self.state(), 0
        else:
            state = self.decode(raw)
        return state, self.advance(state, log, position, upto=upto)

    def advance(self, state: S, log: Log, position: int, *, upto: int | None = None) -> int:
        """Folds what came after `position` into `state`; returns the new position."""
        head = log.head() if upto is None else upto
        for recorded in log.read(position, topics=self.topics, upto=head):
            self.apply(state, recorded)
        return max(position, head)

    def saving(self, state: S, position: int) -> list[Write]:
        """The writes that keep this state; append them with events or alone."""
        return [Put(self.key, b"state", self.encode(state)), Track(self.key, position)]

    def encode(self, state: S) -> bytes:
        """Canonical bytes of a state: equal states give equal bytes."""
        return msgspec.json.encode(state, order="sorted")

    def decode(self, raw: bytes) -> S:
        state: S = msgspec.json.decode(raw, type=self.state)
        return state
