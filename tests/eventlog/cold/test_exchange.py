"""A log goes out as lines of JSON and comes back with the same positions and hashes, or not at all."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from kairos.domain.events import Change, FilesChanged, Paused, Resumed
from kairos.errors import IntegrityError, UsageError
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.exchange import export_log, import_log
from kairos.eventlog.cold.forgetting import forget_positions
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Track


@pytest.fixture
def exported(log: Log) -> list[bytes]:
    """A log with a cold part, a hot part, an erased record and a follower."""
    seen = FilesChanged(repo="r", burst="b", part=1, parts=1, changes=[Change(path="é\n", kind="created")])
    log.append([NewEvent("a", Paused(until=i)) for i in range(20)])
    log.append([NewEvent("r", seen), NewEvent("a", Resumed(), -1)])
    compact(log)
    log.append([NewEvent("a", Paused(until=7))], writes=[Track("dream", 22)])
    forget_positions(log, [5], "mine", "user")
    out = io.BytesIO()
    assert export_log(log, out) == log.head()
    return out.getvalue().splitlines(keepends=True)


def test_it_comes_back_as_it_was(log: Log, exported: list[bytes], tmp_path: Path) -> None:
    other = Log(tmp_path / "other" / "log.db")
    assert import_log(other, exported) == log.head()
    assert other.anchor() == log.anchor()
    assert list(other.read()) == list(log.read())
    assert other.stream("a") == log.stream("a")
    assert other.tracking("dream") == 22
    assert other.append([NewEvent("a", Resumed(), 3)]) == [log.head() + 1]
    assert other.at(other.head()).version == log.version("a") + 1
    compact(other)
    assert verify_log(other, log.anchor()).problems == []
    again = io.BytesIO()
    export_log(log, again)
    assert again.getvalue() == b"".join(exported)


def test_only_an_empty_log_takes_one(log: Log, exported: list[bytes]) -> None:
    with pytest.raises(UsageError, match="already holds"):
        import_log(log, exported)


@pytest.mark.parametrize("harm", ["payload", "header", "dropped", "cut", "swapped", "restored", "garbage", "link"])
def test_what_was_changed_on_the_way_is_refused_whole(exported: list[bytes], tmp_path: Path, harm: str) -> None:
    lines = list(exported)
    record = json.loads(lines[8])
    match harm:
        case "payload":
            record["payload"]["until"] = 99
        case "header":
            record["at"] += 1
        case "link":
            record["link"] = "00" * 32
        case "dropped":
            del lines[9]
        case "cut":
            lines = lines[:-1]
        case "swapped":
            lines[10], lines[11] = lines[11], lines[10]
        case "restored":
            lines[5] = lines[5].replace(b'"leaf"', b'"payload":{"until":4},"leaf"').replace(b"4}", b"5}")
        case "garbage":
            lines[9] = b"{\n"
    lines[8] = json.dumps(record, separators=(",", ":")).encode() + b"\n"
    other = Log(tmp_path / "other" / "log.db")
    with pytest.raises(IntegrityError):
        import_log(other, lines)
    assert other.head() == 0
    assert list(other.read()) == []
    assert import_log(other, exported) > 0


@pytest.mark.parametrize("first", [b"", b"{}\n", b"not json\n", b'{"kairos_log":9,"head":1,"hash":"","tracking":{}}\n'])
def test_what_is_no_export_is_a_usage_error(tmp_path: Path, first: bytes) -> None:
    with pytest.raises(UsageError):
        import_log(Log(tmp_path / "log.db"), [first])
