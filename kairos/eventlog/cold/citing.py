"""What retention must keep: positions that events cite, and observations that are still the newest of their paths."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from kairos.domain.activity import Word, words
from kairos.domain.events import REGISTRY, ActivityFolded, FilesChanged
from kairos.eventlog import codec
from kairos.eventlog.log import Log
from kairos.eventlog.record import Plain

OBSERVATION = "FilesChanged"
_WITNESSES = ("live", "offline")
"""Origins of observations that attention counts as activity of the repository."""


class Citations:
    """The positions that the rows in (`after`, `head`] cite, and the newest observation of each path."""

    def __init__(self, log: Log, after: int) -> None:
        self._log = log
        self._after = after
        self.head = after
        self.cited: set[int] = set()
        self.newest: dict[Word, int] = {}
        """(repository, path) → the position of the newest observation of it."""
        self._active: dict[str, int] = {}
        self.extend()

    def extend(self) -> set[int]:
        """Reads on to the head of the log; returns the positions cited by the new rows. IntegrityError for an event
        type unknown to this program, because its citations cannot be determined."""
        head, new = self._log.head(), set[int]()
        for chunk in self._log.reader().plain(self.head, upto=head):
            new.update(c for c in _cited(chunk) if c > self._after)
            self._note(chunk)
        self.head = head
        self.cited |= new
        return new

    def needs(self, row: Plain, event: FilesChanged) -> bool:
        """Whether an observation must stay: it is cited, or it is the last activity of a repository (attention
        uses that), or it is the newest observation of at least half of its paths, so that folding would save no space.
        Therefore the newest observation of a stream always stays, and with it the stream's version."""
        position, stream, origin = row[0], row[1], row[8]
        if position in self.cited or (origin in _WITNESSES and self._active.get(stream) == position):
            return True
        told = [self.newest.get((event.repo, path)) == position for path, _ in words(event)]
        return sum(told) * 2 >= len(told)

    def _note(self, chunk: Sequence[Plain]) -> None:
        for row in chunk:
            if row[3] == OBSERVATION and row[8] in _WITNESSES:
                self._active[row[1]] = row[0]
        telling = (row for row in chunk if row[3] in (OBSERVATION, "ActivityFolded"))
        for recorded in codec.decode_rows(telling):
            match recorded.event:
                case FilesChanged() as event:
                    for path, _ in words(event):
                        self.newest[(event.repo, path)] = recorded.position
                case ActivityFolded() as event:
                    for folded in event.paths:
                        if folded.position is not None:
                            word = (event.repo, os.fsencode(folded.fs))
                            self.newest[word] = max(self.newest.get(word, 0), folded.position)


def _cited(chunk: Sequence[Plain]) -> Iterator[int]:
    """The positions that rows cite: their cause (which cites its own, up to the root), and fields of type `Cited`."""
    for row in chunk:
        topic, caused_by, payload = row[3], row[6], row[9]
        if not topic:
            continue
        if caused_by is not None:
            yield caused_by
        codec.refuse_unknown(topic, row[4])
        if payload is not None and topic in REGISTRY and _citing_fields(REGISTRY[topic]):
            yield from citations(codec.decode(topic, row[4], payload))


def citations(value: msgspec.Struct) -> Iterator[int]:
    """The positions that an event, or a struct in it, names in fields of type `Cited`."""
    for name in _citing_fields(type(value)):
        yield from _positions(getattr(value, name))


def _positions(found: Any) -> Iterator[int]:
    if isinstance(found, int):
        yield found
    elif isinstance(found, list):
        for item in found:
            yield from _positions(item)
    elif isinstance(found, msgspec.Struct):
        yield from citations(found)


@cache
def _citing_fields(cls: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of a struct that name positions, or hold a struct that does."""
    return tuple(f.name for f in msgspec.structs.fields(cls) if _names_positions(inspect.type_info(f.type)))


def _names_positions(kind: inspect.Type) -> bool:
    match kind:
        case inspect.Metadata(extra={"cited": True}):
            return True
        case inspect.StructType(cls=cls):
            return bool(_citing_fields(cls))
        case inspect.ListType(item_type=item):
            return _names_positions(item)
        case inspect.UnionType(types=types):
            return any(_names_positions(t) for t in types)
        case _:
            return False
