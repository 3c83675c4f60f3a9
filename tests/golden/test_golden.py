"""What earlier versions wrote is read by this one: every event of every version, and whole logs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.domain.events import REGISTRY
from kairos.eventlog import codec
from kairos.eventlog.compaction import compact
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.replay import replay_verify
from kairos.eventlog.schema import SCHEMA_VERSION
from kairos.eventlog.verify import verify_log
from kairos.eventlog.views import AttentionView, InboxView, RepositoriesView

HERE = Path(__file__).resolve().parent
FILES = sorted((HERE / "events").glob("*.json"))
LOGS = sorted(HERE.glob("log-v*"))


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


@pytest.fixture(params=LOGS, ids=lambda p: p.name)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Log, tuple[int, str]]]:
    """A copy of a log that an earlier version wrote, with the anchor that was noted then."""
    shutil.copytree(request.param, tmp_path / "log")
    noted = json.loads((tmp_path / "log/anchor.json").read_text())
    log = Log(tmp_path / "log/log.db", segments=tmp_path / "log/segments")
    yield log, (noted["position"], noted["hash"])
    log.close()


def test_there_is_a_log_of_this_layout() -> None:
    assert HERE / f"log-v{SCHEMA_VERSION}" in LOGS


def test_an_old_log_opens_replays_and_verifies(old: tuple[Log, tuple[int, str]]) -> None:
    log, anchor = old
    found = verify_log(log, anchor)
    assert found.problems == []
    assert (found.head, found.hash) == anchor
    assert [r.position for r in log.read()] == list(range(1, anchor[0] + 1))
    assert 0 < log.sealed_upto() < anchor[0], "one part is cold, one is hot"
    assert replay_verify(log).identical


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
