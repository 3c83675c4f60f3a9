"""A bounded verification: what is new is always verified, and in time everything else is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kairos.domain.events import Paused
from kairos.eventlog.cold import compaction
from kairos.eventlog.cold import recheck as module
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.forgetting import forget_positions
from kairos.eventlog.cold.recheck import Rechecked, recheck, remember
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds at which a test's log is a long one."""
    monkeypatch.setattr(module, "WHOLE", 20)
    monkeypatch.setattr(module, "NEWEST", 30)
    monkeypatch.setattr(module, "OLDER", 10)
    monkeypatch.setattr(compaction, "ROWS_A_SEGMENT", 25)


def grow(log: Log, count: int) -> None:
    log.append([NewEvent("a", Paused(until=i)) for i in range(count)])


def tamper(log: Log, statement: str) -> None:
    log.close()
    with sqlite3.connect(log.path) as db:
        db.execute(statement)
    db.close()


def test_a_short_log_is_verified_whole(log: Log) -> None:
    grow(log, 15)
    found = recheck(log, None)
    assert (found.new, found.older, found.gap, found.verified.ok) == ((1, 15), None, None, True)
    assert found.remembered.position == 15


def test_after_a_whole_verification_only_the_new_part_and_a_piece_are_read(log: Log) -> None:
    grow(log, 100)
    known = remember(log, verify_log(log))
    grow(log, 5)
    found = recheck(log, known)
    assert (found.new, found.older, found.gap) == ((101, 105), (1, 10), None)
    again = recheck(log, found.remembered)
    assert (again.new, again.older, again.gap) == (None, (11, 20), None)


def test_too_many_new_events_leave_a_gap_that_is_told_and_not_forgotten(log: Log) -> None:
    grow(log, 100)
    first = recheck(log, None)
    assert first.verified.ok and first.new == (71, 100) and first.gap == (1, 70)
    again = recheck(log, first.remembered)
    assert again.gap == (1, 70) and again.older == (11, 20)


def rounds(log: Log, found: Rechecked, count: int) -> Rechecked:
    for _ in range(count):
        if not found.verified.ok:
            break
        found = recheck(log, found.remembered)
    return found


@pytest.mark.parametrize("position", [3, 55, 99])
def test_every_changed_row_is_found_in_time(log: Log, position: int) -> None:
    grow(log, 100)
    known = remember(log, verify_log(log))
    tamper(log, f"UPDATE events SET at = at + 1 WHERE position = {position}")
    found = rounds(log, recheck(log, known), 12)
    assert position in {p.position for p in found.verified.problems}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET origin = 'user' WHERE position = 103",
        "DELETE FROM events WHERE position = 102",
        "UPDATE events SET link = zeroblob(32) WHERE position = 100",
        "UPDATE head SET position = 104",
        "DELETE FROM events WHERE position > 100",
    ],
)
def test_damage_of_the_new_part_is_found_at_once(log: Log, statement: str) -> None:
    grow(log, 100)
    known = remember(log, verify_log(log))
    grow(log, 5)
    tamper(log, statement)
    assert not recheck(log, known).verified.ok


def test_an_anchor_that_the_log_does_not_hold_is_a_problem(log: Log) -> None:
    grow(log, 100)
    known = remember(log, verify_log(log))
    tamper(log, "UPDATE events SET link = randomblob(32) WHERE position = 100")
    grow(log, 3)
    assert not recheck(log, known).verified.ok


@pytest.mark.parametrize("known_at", [0, 40, 50, 100])
def test_segments_are_verified_whole_and_in_turn(log: Log, known_at: int) -> None:
    grow(log, known_at)
    known = remember(log, verify_log(log)) if known_at else None
    grow(log, 120 - known_at)
    compact(log)
    found = recheck(log, known)
    assert found.verified.ok, found.verified.problems
    segments = log.reader().segments()
    assert len(segments) > 3
    looked = found.older
    for _ in range(len(segments)):
        found = recheck(log, found.remembered)
        assert found.verified.ok
        assert looked != found.older
        looked = found.older


def test_a_changed_segment_is_found_in_time_and_a_missing_one_at_once(log: Log) -> None:
    grow(log, 120)
    compact(log)
    found = recheck(log, remember(log, verify_log(log)))
    assert found.verified.ok
    path: Path = log.segment(log.reader().segments()[1].file)
    kept = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(kept[:200] + bytes([kept[200] ^ 1]) + kept[201:])
    assert not rounds(log, recheck(log, found.remembered), 8).verified.ok
    path.unlink()
    assert not recheck(log, found.remembered).verified.ok


def test_what_was_erased_is_explained_by_an_event_elsewhere(log: Log) -> None:
    grow(log, 100)
    forget_positions(log, [5, 60], "asked", "user")
    assert rounds(log, recheck(log, None), 12).verified.ok
    compact(log)
    found = recheck(log, remember(log, verify_log(log)))
    assert rounds(log, found, 8).verified.ok


def test_what_is_remembered_of_another_log_is_not_used(log: Log, tmp_path: Path) -> None:
    grow(log, 100)
    other = Log(tmp_path / "other.db")
    grow(other, 100)
    known = remember(other, verify_log(other))
    other.close()
    found = recheck(log, known)
    assert found.verified.ok and found.gap == (1, 70)
