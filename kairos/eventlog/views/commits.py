"""The view that finds the events of a commit by the first digits of its object id, without reading the log."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kairos.domain.events import CommitRecorded, Event, GitMoved
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.index import Index, Indexed, IndexView

_DIGITS = 16
"""How many digits of an object id are in a key; the rest is compared in the events."""
_WIDTH = 8
"""Bytes of a position, big endian, at the end of a key."""


class Commits(Indexed):
    """The positions of events by the object id that they name, read from the log's database on demand."""

    index: Index = msgspec.field(default_factory=lambda: Index(CommitsView().key))

    def positions(self, prefix: str) -> Iterator[int]:
        """Positions of events that may name an object id with this prefix."""
        for rest in self.index.under(_digits(prefix)):
            yield int.from_bytes(rest[-_WIDTH:], "big")


class CommitsView(IndexView[Commits]):
    name = "commits"
    state = Commits
    topics = frozenset({"CommitRecorded", "GitMoved"})

    def apply(self, state: Commits, recorded: Recorded) -> None:
        place = recorded.position.to_bytes(_WIDTH, "big")
        state.index.add(_digits(oid) + place for oid in objects_of(recorded.event) if oid)


def events_of_commit(log: Log, known: Commits, prefix: str, most: int) -> list[int]:
    """The positions, at most `most`, of the events that name the commit with this prefix; empty if there is none.
    NotFound if several commits have the prefix."""
    found: dict[str, list[int]] = {}
    left = most
    for position in known.positions(prefix):
        try:
            event = log.at(position).event
        except NotFound:
            continue  # erased
        for oid in {oid for oid in objects_of(event) if oid.startswith(prefix)}:
            found.setdefault(oid, []).append(position)
        left -= 1
        if len(found) > 5 or not left:
            break
    if len(found) > 1:
        raise NotFound(f"`{prefix}` is ambiguous: {', '.join(sorted(found)[:5])}", "Type more of the commit id.")
    return sorted(next(iter(found.values()), []))


def objects_of(event: Event) -> list[str]:
    """The object ids that an event brings: of a commit, or of the refs after a move."""
    match event:
        case CommitRecorded(oid=oid):
            return [oid]
        case GitMoved(refs=refs):
            return [ref.new for ref in refs if ref.new]
        case _:
            return []


def _digits(oid: str) -> bytes:
    return oid[:_DIGITS].encode("utf-8", "surrogatepass")
