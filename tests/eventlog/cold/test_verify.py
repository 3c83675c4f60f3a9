"""The chain names what was changed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kairos.domain.events import Paused
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent


@pytest.fixture
def written(tmp_path: Path) -> Log:
    log = Log(tmp_path / "log.db")
    log.append([NewEvent("a", Paused(until=i)) for i in range(10)])
    log.close()
    return log


def tamper(log: Log, *statements: str) -> list[int | None]:
    with sqlite3.connect(log.path) as db:
        for statement in statements:
            db.execute(statement)
    db.close()
    found = verify_log(log)
    log.close()
    assert found.ok == (not found.problems)
    return [p.position for p in found.problems]


def test_an_untouched_log_verifies(written: Log) -> None:
    assert tamper(written) == []


@pytest.mark.parametrize(
    ("statement", "position"),
    [
        ("UPDATE events SET state = '{\"until\":99}' WHERE position = 4", 4),
        ("UPDATE events SET at = at + 1 WHERE position = 5", 5),
        ("UPDATE events SET origin = 'user' WHERE position = 6", 6),
        ("DELETE FROM events WHERE position = 7", 7),
        ("DELETE FROM events WHERE position > 8", 9),
        ("UPDATE events SET leaf = zeroblob(32) WHERE position = 3", 3),
    ],
)
def test_a_change_is_named_by_its_position(written: Log, statement: str, position: int) -> None:
    assert position in tamper(written, statement)


def test_two_swapped_payloads_are_both_named(written: Log) -> None:
    swap = [
        "CREATE TEMP TABLE kept AS SELECT position, state FROM events WHERE position IN (2, 3)",
        "UPDATE events SET state = (SELECT state FROM kept WHERE kept.position = 5 - events.position)"
        " WHERE position IN (2, 3)",
    ]
    assert {2, 3} <= set(tamper(written, *swap))


def test_a_truncated_tail_shows_only_against_an_anchor(written: Log) -> None:
    position, noted = written.anchor()
    link = next(iter(written.reader().rows(7, limit=1))).link
    written.close()
    with sqlite3.connect(written.path) as db:
        db.execute("DELETE FROM events WHERE position > 8")
        db.execute("UPDATE head SET position = 8, link = ?", (link,))
    db.close()
    assert verify_log(written).ok
    assert [p.what for p in verify_log(written, (position, noted)).problems] == [
        "the anchor is beyond the end of the log: its tail was cut off"
    ]


def test_an_anchor_that_the_chain_passes_through_holds(written: Log) -> None:
    anchor = written.anchor()
    written.append([NewEvent("a", Paused())])
    assert verify_log(written, anchor).ok
    assert not verify_log(written, (anchor[0], "00" * 32)).ok
