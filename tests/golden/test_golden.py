"""What earlier versions wrote is read by this one: every event of every version, and whole logs."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.daemon.all_views import kept_views
from kairos.domain.events import REGISTRY, Paused
from kairos.errors import NotFound, TryAgain
from kairos.eventlog import codec
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.folding import fold
from kairos.eventlog.cold.jumps import folded_into
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.schema import SCHEMA_VERSION
from kairos.eventlog.views.attention import AttentionView
from kairos.eventlog.views.inbox import InboxView
from kairos.eventlog.views.replay import replay_verify
from kairos.eventlog.views.repositories import RepositoriesView
from kairos.eventlog.views.watched_tree import fold_tree

HERE = Path(__file__).resolve().parent
FILES = sorted((HERE / "events").glob("*.json"))
LOGS = sorted(HERE.glob("log-v*"))
FOLDED = sorted(HERE.glob("folded-v*"))


def into(log: Log, position: int) -> int | None:
    return folded_into(log.read(position, topics={"SegmentFolded"}), position)


def parts(file: Path) -> tuple[str, int, bytes]:
    topic, version = file.name.split(".")[:2]
    return topic, int(version.removeprefix("v")), file.read_bytes().removesuffix(b"\n")


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name.removesuffix(".json"))
def test_a_golden_event_is_read_and_written_back_byte_for_byte(file: Path) -> None:
    topic, version, payload = parts(file)
    event = codec.decode(topic, version, payload)
    name, present, again = codec.encode(event)
    assert name == topic
    if version == present:
        assert again == payload
    else:
        assert codec.decode(name, present, again) == event


def test_every_version_of_every_event_has_a_golden_file() -> None:
    there = {(topic, version) for topic, version, _ in map(parts, FILES)}
    missing = {(t, v) for t, cls in REGISTRY.items() for v in range(1, cls.version + 1)} - there
    assert missing == set(), "run `python tests/golden/write.py` once, and keep what it writes"


def test_no_event_that_was_ever_written_is_unknown_now() -> None:
    assert {topic for topic, _, _ in map(parts, FILES)} - set(REGISTRY) == set()


def fields(value: Any, raw: Any) -> Iterator[tuple[str, str]]:
    """(class, field) of everything that stands written in a payload, given the value it decodes to."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            if name in raw:
                yield type(value).__name__, name
                yield from fields(getattr(value, name), raw[name])
    elif isinstance(value, list):
        for item, part in zip(value, raw, strict=True):
            yield from fields(item, part)


def test_every_field_stands_in_some_golden_file() -> None:
    """A renamed field would read as its default, unseen, if no golden file held it."""
    written = set[tuple[str, str]]()
    classes: dict[str, type[msgspec.Struct]] = dict(REGISTRY)
    for topic, version, payload in map(parts, FILES):
        if version == REGISTRY[topic].version:
            event = codec.decode(topic, version, payload)
            written |= set(fields(event, json.loads(payload)))
    missing = {(n, f) for n, cls in classes.items() for f in cls.__struct_fields__} - written
    assert missing == set()
    inner = {name for name, _ in written} - set(classes)
    assert {"Change", "FileEdit", "Hunk", "Memory", "Expected", "Signature", "CommandAction", "NoteAction"} <= inner


@pytest.fixture(params=[*LOGS, *FOLDED], ids=lambda p: p.name)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Log, tuple[int, str]]]:
    """A copy of a log that an earlier version wrote, with the anchor that was noted then."""
    shutil.copytree(request.param, tmp_path / "log")
    noted = json.loads((tmp_path / "log/anchor.json").read_text())
    log = Log(tmp_path / "log/log.db", segments=tmp_path / "log/segments")
    yield log, (noted["position"], noted["hash"])
    log.close()


def layouts(folder: Path) -> tuple[int, set[bytes]]:
    """(layout of the database, layouts of the segments) of a log."""
    with closing(sqlite3.connect(f"file:{folder}/log.db?mode=ro&immutable=1", uri=True)) as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
    names = (re.findall(rb"kairos_segment_\d+", p.read_bytes()) for p in folder.glob("segments/*.parquet"))
    return version, {name for found in names for name in found}


def test_there_is_a_log_of_every_layout_up_to_the_one_that_is_written_now(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.db")
    log.append([NewEvent("a", Paused())])
    compact(log)
    log.close()
    version, (segment,) = layouts(tmp_path)
    there = [layouts(folder) for folder in LOGS]
    assert version == SCHEMA_VERSION
    assert {v for v, _ in there} == set(range(1, SCHEMA_VERSION + 1))
    newest = int(segment.removeprefix(b"kairos_segment_"))
    written = {name for _, names in there for name in names}
    assert HERE / f"folded-v{SCHEMA_VERSION}" in FOLDED
    assert written == {b"kairos_segment_%d" % n for n in range(1, newest + 1)}


def test_an_old_log_is_brought_up_to_date_in_place_by_its_first_reader(old: tuple[Log, tuple[int, str]]) -> None:
    log, anchor = old
    assert log.anchor() == anchor
    assert layouts(log.path.parent)[0] == SCHEMA_VERSION
    rows = [r for r in log.reader().rows() if r.topic]  # the rest stands for what was folded away
    assert {s: log.version(s) for s in {r.stream for r in rows}} == {r.stream: r.version for r in rows}


def test_an_old_log_that_another_process_has_open_is_left_alone(tmp_path: Path) -> None:
    shutil.copytree(HERE / "log-v1", tmp_path / "log")
    path = tmp_path / "log/log.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as earlier:
        earlier.execute("PRAGMA journal_mode=WAL")
        earlier.execute("BEGIN IMMEDIATE")
        with pytest.raises(TryAgain, match="an earlier Kairos that still has it open"):
            Log(path).head()
        earlier.execute("ROLLBACK")
    assert layouts(tmp_path / "log")[0] == 1
    assert Log(path).head() == json.loads((tmp_path / "log/anchor.json").read_text())["position"]


def test_an_old_log_opens_replays_and_verifies(old: tuple[Log, tuple[int, str]]) -> None:
    log, anchor = old
    found = verify_log(log, anchor)
    assert found.problems == []
    assert (found.head, found.hash) == anchor
    assert [r.position for r in log.read()] == [
        p for p in range(1, anchor[0] + 1) if not folded_into(log.read(p, topics={"SegmentFolded"}), p)
    ]
    assert 0 < log.sealed_upto() < anchor[0], "one part is cold, one is hot"
    assert replay_verify(log, kept_views()).identical


@pytest.mark.parametrize("old", FOLDED, indirect=True, ids=lambda p: p.name)
def test_an_old_log_that_was_folded_still_tells_the_tree_and_what_is_left(old: tuple[Log, tuple[int, str]]) -> None:
    log, _ = old
    gone = [
        position
        for position in range(1, log.head() + 1)
        if folded_into(log.read(position, topics={"SegmentFolded"}), position)
    ]
    assert gone == [5, 6, 7, 10, 11, 12, 13]
    with pytest.raises(NotFound, match="the event at 6 was folded; a summary is at 17"):
        log.at(6)
    assert log.at(log.at(9).caused_by or 0).topic == "FilesChanged"
    assert {p: e.size for p, e in fold_tree(log, "repo-0123456789ab").items()} == {b"a.py": 8, b"b\xff": 8}
    assert fold(log, 2**60).segments == []


def test_an_old_log_still_says_what_happened(old: tuple[Log, tuple[int, str]]) -> None:
    log, _ = old
    (repository,) = RepositoriesView().load(log)[0].watched()
    assert repository.root == "/srv/shop"
    proposal = InboxView().load(log)[0].find("kkkk")
    assert proposal.state == "undone"
    assert AttentionView().load(log)[0].is_muted("secret", repository.id)


def test_an_old_log_goes_on(old: tuple[Log, tuple[int, str]]) -> None:
    log, anchor = old
    first = next(iter(log.read()))
    assert log.append([NewEvent(first.stream, first.event, 1, "user")]) == [anchor[0] + 1]
    assert log.at(anchor[0] + 1).correlation == 1
    compact(log)
    assert verify_log(log, anchor).problems == []
