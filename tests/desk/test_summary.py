"""One event as one line: every type of event has one, and nothing that an event carries gets out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kairos.desk.desk import Desk
from kairos.desk.events import read
from kairos.desk.summary import cited, summary
from kairos.domain import events as ev
from kairos.domain.events import REGISTRY, Event
from kairos.eventlog import codec
from kairos.eventlog.cold.forgetting import forget_positions
from kairos.eventlog.record import ForeignEvent, Recorded

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "events").glob("*.json"))


def recorded(event: Event, origin: Any = "live") -> Recorded:
    return Recorded(9, "s", 1, type(event).__name__, 1, 0, None, 9, origin, event)


def written(file: Path) -> Event:
    topic, version = file.name.split(".")[:2]
    return codec.decode(topic, int(version.removeprefix("v")), file.read_bytes().removesuffix(b"\n"))


@pytest.mark.parametrize("file", GOLDEN, ids=lambda f: f.name.removesuffix(".json"))
def test_every_event_is_said_in_words_of_its_own(file: Path) -> None:
    said = summary(recorded(written(file)))
    assert said and "Struct" not in said and "None" not in said and "[]" not in said
    assert said in summary(recorded(written(file), "history"))


def test_there_is_an_event_of_every_type_to_say() -> None:
    assert {file.name.split(".")[0] for file in GOLDEN} == set(REGISTRY)


def test_where_an_event_comes_from_is_said_unless_it_is_seen_live() -> None:
    assert [summary(recorded(ev.Resumed(), origin)) for origin in ("live", "user", "offline", "self")] == [
        "resumed", "resumed", "resumed [offline]", "resumed [self]"
    ]  # fmt: skip


def test_long_lists_are_counted_and_names_of_any_bytes_are_text() -> None:
    names = [ev.Change(path_b64="/w==", kind="created"), *(ev.Change(path=f"{n}", kind="deleted") for n in range(4))]
    said = summary(recorded(ev.FilesChanged(repo="r", burst="b", part=1, parts=1, changes=names, cause="git")))
    assert said.endswith("deleted 0, deleted 1 and 2 more (by git)") and said.startswith("created ")
    said.encode("utf-8")


def test_what_another_application_stored_is_only_measured() -> None:
    assert summary(recorded(ForeignEvent(bytes=12))) == "12 bytes of another application"


def test_evidence_that_was_removed_says_what_became_of_it(desk: Desk, seeded: Any) -> None:
    position = seeded.append(ev.FindingListed(repo=seeded.id, key="k", detector="secret", title="an old key"))
    kept = next(read(desk, after=position - 1))
    assert cited(desk, [position]) == [(position, "FindingListed", kept.summary())]
    forget_positions(seeded.log, [position], "private", "user")
    (there, type_, said), (beyond, none, absent) = cited(desk, [position, 999])
    assert (there, beyond, none) == (position, 999, "?")
    assert "an old key" not in said + type_ and said and absent
