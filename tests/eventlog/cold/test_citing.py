"""What any event rests on stays, in whatever field it is named; so does the newest word where it tells a tree."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from kairos.domain.events import REGISTRY, DreamFinished, Erased, Event
from kairos.errors import IntegrityError
from kairos.eventlog.cold.citing import Citations, citations
from kairos.eventlog.record import NewEvent

RANGES = {
    ("ActivityFolded", "first"), ("ActivityFolded", "last"), ("Activity", "position"), ("DreamStarted", "after"),
    ("DreamFinished", "after"), ("SegmentSealed", "first"), ("SegmentSealed", "last"), ("SegmentRetired", "first"),
    ("SegmentRetired", "last"), ("SegmentFolded", "first"), ("SegmentFolded", "last"), ("SegmentFolded", "before"),
    ("LogLineTold", "first"),
}  # fmt: skip
"""Fields that name a position and need no event to stand there: ends of a range, or where something stood; and a time
that is called as they are."""
NAMES = {"position", "positions", "evidence", "cites", "first", "last", "upto", "after", "cause", "causes", "before"}


def test_every_field_that_names_positions_says_whether_it_rests_on_them() -> None:
    """A new event that cites must say so, or what it cites would be folded away."""
    unclear = set()
    waiting: list[type[msgspec.Struct]] = list(REGISTRY.values())
    known = set(waiting)
    while waiting:
        cls = waiting.pop()
        for field in msgspec.structs.fields(cls):
            kinds = [inspect.type_info(field.type)]
            while kinds:
                match kinds.pop():
                    case inspect.ListType(item_type=item):
                        kinds.append(item)
                    case inspect.UnionType(types=types):
                        kinds += types
                    case inspect.StructType(cls=inner) if inner not in known:
                        known.add(inner)
                        waiting.append(inner)
                    case inspect.IntType() if field.name in NAMES:
                        unclear.add((cls.__name__, field.name))
                    case _:
                        pass
    assert unclear == RANGES


@pytest.mark.parametrize("topic", ["ProposalRaised", "MemoryAccepted", "Erased", "DreamFinished", "DreamStarted"])
def test_what_an_event_of_this_type_rests_on_is_found(past: Any, topic: str) -> None:
    past.busy(9)
    dreamt = DreamFinished(dream="d", after=2, upto=5, digest="")
    events: dict[str, tuple[Event, set[int]]] = {
        "Erased": (Erased(positions=[3, 4], reason="r", by="user"), {3, 4}),
        "DreamFinished": (dreamt, {5}),
        "DreamStarted": (REGISTRY["DreamStarted"](dream="d", after=2, upto=6, lease_until=0), {6}),  # type: ignore[call-arg]
    }
    match topic:
        case "ProposalRaised":
            past.propose([2, 6], "k" * 12)
            wanted = {2, 6}
        case "MemoryAccepted":
            past.remember([1, 8], "m")
            wanted = {1, 8}
        case _:
            event, wanted = events[topic]
            past.log.append([NewEvent("s", event, None, "system")])
            assert set(citations(event)) == wanted
    assert Citations(past.log, 0).cited == wanted
    assert Citations(past.log, 4).cited == {position for position in wanted if position > 4}


def test_causes_are_cited_up_to_the_root(past: Any) -> None:
    past.busy(3)
    due = past.attend(2)
    past.attend(due)
    assert Citations(past.log, 0).cited == {2, due}


def test_what_comes_in_later_is_read_on(past: Any) -> None:
    past.busy(3)
    known = Citations(past.log, 0)
    assert known.extend() == set()
    past.propose([1, 2], "k" * 12)
    assert known.extend() == {1, 2}
    assert known.cited == {1, 2}
    assert known.head == past.log.head()


def needed(past: Any) -> list[int]:
    known = Citations(past.log, 0)
    rows = list(past.log.reader().rows())
    found = zip(rows, past.log.read(), strict=True)
    return [
        row.position
        for row, recorded in found
        if row.topic == "FilesChanged" and known.needs(msgspec.structs.astuple(row)[:10], recorded.event)  # type: ignore[arg-type]
    ]


def test_the_newest_of_its_stream_and_the_last_activity_stay(past: Any) -> None:
    past.busy(3)
    past.observe("src/a.py", "src/b.py", "src/c.py", origin="self")
    past.observe("src/a.py", "src/b.py", "src/d.py", origin="self")
    assert needed(past) == [3, 5]


def test_what_tells_half_of_its_paths_last_stays(past: Any) -> None:
    past.observe("a", "b", "c", "d", kind="created", origin="baseline")
    past.observe("a", origin="offline")
    past.observe("a", "b", origin="baseline")
    past.observe("z", origin="baseline")
    assert needed(past) == [1, 2, 3, 4]
    past.observe("c", origin="baseline")
    assert needed(past) == [2, 3, 4, 5]


def test_an_event_that_this_program_does_not_know_stops_everything(past: Any) -> None:
    past.busy(2)
    with closing(sqlite3.connect(past.log.path)) as db, db:
        db.execute("UPDATE events SET topic = 'FromTheFuture' WHERE position = 2")
    with pytest.raises(IntegrityError, match="FromTheFuture"):
        Citations(past.log, 0)
