"""A log moves from one engine to the other with its positions, hashes, followers and what it was told of each tree."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from kairos.domain.events import Paused, Resumed
from kairos.errors import IntegrityError, UsageError
from kairos.eventlog.cold.carrying import export_all, import_all
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Put, Track


@pytest.fixture
def full(log: Log) -> Log:
    """A log on SQLite with rows of every kind."""
    rows = [Put("tree/r", bytes([n]), b"\x00listing") for n in range(3)]
    rows += [Put("refs/r", b"snapshot", b"{}"), Put("listed", b"r", b""), Put("snapshot/inbox@2", b"state", b"fold")]
    log.append([NewEvent("a", Paused()), NewEvent("a", Resumed(), -1)], writes=[*rows, Track("reactor/r", 2)])
    return log


def exported(log: Log) -> list[bytes]:
    out = io.BytesIO()
    assert export_all(log, out) == log.head()
    return out.getvalue().splitlines(keepends=True)


def test_it_is_on_the_other_engine_as_it_was_and_comes_back_the_same(full: Log, any_log: Log, tmp_path: Path) -> None:
    other = any_log if any_log.url else Log(tmp_path / "other" / "log.db")
    lines = exported(full)
    assert import_all(other, lines) == 2
    assert other.anchor() == full.anchor()
    assert verify_log(other, full.anchor()).ok
    assert list(other.read()) == list(full.read())
    assert other.tracking("reactor/r") == 2
    for view in ("tree/r", "refs/r", "listed"):
        assert other.view(view) == full.view(view)
    assert other.view("snapshot/inbox@2") == {}, "folds are folded anew"
    assert exported(other) == lines
    assert other.append([NewEvent("a", Paused())], expected={"a": 2}) == [3]
    other.close()


@pytest.mark.parametrize("harm", ["record", "row", "foreign row", "cut"])
def test_what_was_harmed_on_the_way_leaves_nothing(full: Log, another_log: Log, harm: str) -> None:
    lines = exported(full)
    match harm:
        case "record":
            lines[-1] = lines[-1].replace(b"Resumed", b"Paused")
        case "row":
            lines[2] = lines[2].replace(b'"value":"', b'"value":"AAAA')
        case "foreign row":
            lines[2] = lines[2].replace(b"refs/r", b"snapshot/inbox@2")
        case "cut":
            del lines[-1]
    with pytest.raises((IntegrityError, UsageError)):
        import_all(another_log, lines)
    assert another_log.head() == 0
    assert another_log.reader().view_names() == []
    assert import_all(another_log, exported(full)) == 2


def test_a_log_that_holds_something_is_left_alone(full: Log, another_log: Log) -> None:
    another_log.append([NewEvent("a", Paused())])
    with pytest.raises(UsageError, match="already holds"):
        import_all(another_log, exported(full))
    assert another_log.reader().view_names() == []


def test_an_export_of_records_alone_is_taken_too(full: Log, another_log: Log) -> None:
    lines = [line for line in exported(full) if not line.startswith(b'{"kairos":"row"')]
    assert import_all(another_log, lines) == 2
