"""A jump row stands for positions that were folded away; only a SegmentFolded event makes it true."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos._native import link_row
from kairos.domain.events import SegmentFolded
from kairos.errors import NotFound
from kairos.eventlog.cold.jumps import first_of, folded_into, is_jump, is_sound, jump_row, named_runs, proof, shorthand
from kairos.eventlog.cold.segment import Run, segment_rows, walk_segment, write_segment
from kairos.eventlog.cold.verify import Problem, verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import Row, row_of


@given(st.integers(1, 9), st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), max_size=6))
def test_runs_come_back_from_their_shorthand(first: int, drawn: list[tuple[int, int]]) -> None:
    runs, place = [], first
    for stay, length in drawn:
        runs.append((place + stay, place + stay + length - 1))
        place += stay + length
    event = SegmentFolded(first=first, last=99, before=0, events=1, runs=shorthand(first, runs), proof="")
    assert named_runs(event) == runs


def test_a_proof_is_over_ends_and_links_of_every_run() -> None:
    runs = [Run(2, 5, b"a" * 32, b"b" * 32), Run(8, 8, b"c" * 32, b"d" * 32)]
    altered = [
        [runs[0]],
        runs[::-1],
        [runs[0]._replace(first=1), runs[1]],
        [runs[0], runs[1]._replace(last=9)],
        [runs[0]._replace(before=b"x" * 32), runs[1]],
        [runs[0], runs[1]._replace(after=b"x" * 32)],
    ]
    assert len({proof(runs), *map(proof, altered)}) == 1 + len(altered)


def test_a_jump_row_is_told_from_an_event_and_holds_nothing_else() -> None:
    row = row_of(jump_row(Run(3, 7, b"a" * 32, b"b" * 32)))
    assert is_jump(row) and is_sound(row) and first_of(row) == 3
    assert link_row(b"x" * 32, jump_row(Run(3, 7, b"", b"b" * 32))[:9], row.leaf) == b"b" * 32
    fields: list[dict[str, Any]] = [
        {"payload": b"{}"}, {"at": 1}, {"stream": "s"}, {"version": 1}, {"caused_by": 2}, {"correlation": 8},
        {"leaf": b"short"}, {"origin": "user"}, {"v": 1},
    ]  # fmt: skip
    assert not any(is_sound(msgspec.structs.replace(row, **changed)) for changed in fields)


def test_a_folded_position_says_where_it_went_and_another_that_it_never_was(past: Any) -> None:
    positions = past.busy(6)
    past.fold()
    ((into, _),) = past.proofs()
    for position in positions[:-1]:
        assert folded_into(past.log.read(position, topics={"SegmentFolded"}), position) == into
        with pytest.raises(NotFound, match=f"the event at {position} was folded; a summary is at {into}"):
            past.log.at(position)
    assert folded_into(past.log.read(positions[-1], topics={"SegmentFolded"}), positions[-1]) is None
    assert past.log.at(positions[-1]).topic == "FilesChanged"
    with pytest.raises(NotFound, match="the log has no position 9999"):
        past.log.at(9999)


def rewritten(log: Log, rows: list[tuple[Any, ...]]) -> None:
    """The first segment with other rows, its manifest row in step: all that somebody who owns the disk can do."""
    first, last, file, _, _, before, *_ = log.reader().segments()[0]
    path = log.segments / file
    path.unlink()
    _, size = write_segment(path, rows)
    walked = walk_segment(path, before)
    log.close()
    with closing(sqlite3.connect(log.path)) as db, db:
        db.execute(
            "UPDATE segments SET bytes = ?, digest = ?, after = ? WHERE first = ?",
            (size, walked.digest, walked.link, first),
        )
    assert last


def whole(log: Log) -> list[tuple[Any, ...]]:
    return list(segment_rows(log.segments / log.reader().segments()[0][2]))


def problems(log: Log) -> list[Problem]:
    return verify_log(log).problems


def links(log: Log) -> list[bytes]:
    """The link after each row of the first segment, and before the first."""
    path = log.segments / log.reader().segments()[0][2]
    before = log.reader().segments()[0][5]
    return [before, *(walk_segment(path, before, row[0]).link for row in whole(log))]


def test_a_row_that_gave_way_to_a_jump_without_a_word_is_named(past: Any) -> None:
    past.busy(6)
    past.fold(0)
    rows, known = whole(past.log), links(past.log)
    rows[2] = jump_row(Run(3, 3, known[2], known[3]))
    rewritten(past.log, rows)
    assert problems(past.log) == [Problem("positions 3..3 are missing, and no SegmentFolded event names them", 3)]


def test_an_enlarged_run_is_named(past: Any) -> None:
    past.attend(past.observe("x", "y"))
    past.busy(6)
    past.fold()
    rows = whole(past.log)
    at = next(i for i, row in enumerate(rows) if not row[3])
    rows[at - 1 : at + 1] = [(*rows[at][:7], rows[at - 1][0], *rows[at][8:])]
    rewritten(past.log, rows)
    found = {p.what.split(" ", 1)[1] for p in problems(past.log)}
    assert {"it says was folded away is not what is missing"} <= found
    assert any("no SegmentFolded event names them" in what for what in found)


def test_a_jump_to_another_link_is_named(past: Any) -> None:
    past.busy(6)
    past.fold()
    rows = [(*row[:10], b"x" * 32) if not row[3] else row for row in whole(past.log)]
    rewritten(past.log, rows)
    assert "what it says was folded away is not what is missing" in {p.what for p in problems(past.log)}


def test_a_jump_row_that_carries_more_is_named(past: Any) -> None:
    past.busy(6)
    past.fold()
    rewritten(past.log, [(*row[:5], 7, *row[6:]) if not row[3] else row for row in whole(past.log)])
    assert "what stands for folded positions holds something else" in {p.what for p in problems(past.log)}


def test_an_altered_proof_is_named(past: Any) -> None:
    past.busy(6)
    past.fold()
    ((position, event),) = past.proofs()
    other = msgspec.json.encode(msgspec.structs.replace(event, proof="0" * 64))
    past.log.close()
    with closing(sqlite3.connect(past.log.path)) as db, db:
        db.execute("UPDATE events SET state = ? WHERE position = ?", (other, position))
    found = problems(past.log)
    assert {p.position for p in found} == {position, 5}
    assert "this SegmentFolded or its place in the order is not as it was written" in {p.what for p in found}


def test_an_anchor_inside_a_run_proves_nothing_and_one_at_its_end_does(past: Any, tmp_path: Path) -> None:
    anchors = [(position, past.log.anchor()[1]) for position in (past.observe("a", "b") for _ in range(6))]
    past.fold()
    assert past.gone() == {1, 2, 3, 4, 5}
    (lost,) = verify_log(past.log, anchors[2]).problems
    assert lost.position == 3 and "was folded away" in lost.what
    for anchor in anchors[4:]:
        assert verify_log(past.log, anchor).ok
        assert not verify_log(past.log, (anchor[0], "0" * 64)).ok


def test_rows_of_a_run_are_not_in_the_way_of_a_reader(past: Any) -> None:
    first = past.attend(past.observe("x", "y"))
    past.busy(6)
    past.fold()
    log: Log = past.log
    assert [r.position for r in log.read(upto=8)] == [1, 2, 8]
    assert [r.position for r in log.read(4, upto=8)] == [8]
    assert [r.position for r in log.read(upto=5)] == [1, 2]
    assert [r.position for r in log.read(topics={"AttentionDue"})] == [first]
    assert log.version("repo-1") == log.stream("repo-1")[-1].version
    rows: list[Row] = list(log.reader().rows(upto=8))
    assert [(first_of(r), r.position) for r in rows] == [(1, 1), (2, 2), (3, 7), (8, 8)]
