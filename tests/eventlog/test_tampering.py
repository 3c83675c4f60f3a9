"""Rows and segments that were dropped, reordered, swapped, cut or put in: named, and the rest stays readable."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kairos._native import blake3_hash, link_row
from kairos.domain.events import AttentionHeld, Change, FilesChanged, Paused
from kairos.errors import IntegrityError
from kairos.eventlog.cold import compaction
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.segment import SegmentRow, segment_rows, write_segment
from kairos.eventlog.cold.verify import Problem, verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent

RANGES = [(1, 20), (21, 40), (41, 60)]
HOT = range(61, 91)


@pytest.fixture
def sealed(log: Log, monkeypatch: pytest.MonkeyPatch) -> Log:
    """Sixty events in three segments, thirty that are hot."""
    monkeypatch.setattr(compaction, "ROWS_A_SEGMENT", 20)
    monkeypatch.setattr(compaction, "WORTHWHILE", 1)
    for i in range(20):
        held = AttentionHeld(repo="r", subject="s", why=f"because {i}", rule="x@1")
        told = FilesChanged(repo="r", burst=f"b{i}", part=1, parts=1, changes=[Change(path="a", kind="deleted")])
        log.append([NewEvent("p", Paused(until=i)), NewEvent("r", held, -1), NewEvent("r", told)])
    compact(log)
    while log.head() < HOT[-1]:
        log.append([NewEvent("p", Paused(until=log.head()))])
    assert [(s[0], s[1]) for s in log.reader().segments()] == RANGES
    assert verify_log(log).ok
    log.close()
    return log


def files(log: Log) -> list[Path]:
    return [log.segments / f"{first:012d}-{last:012d}.parquet" for first, last in RANGES]


def run(log: Log, *statements: str) -> None:
    with closing(sqlite3.connect(log.path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def named(log: Log, anchor: tuple[int, str] | None = None) -> list[Problem]:
    found = verify_log(log, anchor)
    assert found.ok == (not found.problems)
    return found.problems


def rewrite(log: Log, number: int, change: Callable[[list[SegmentRow]], list[SegmentRow]]) -> str:
    """Writes a segment anew with other rows, and its digest to the manifest, as a forger would."""
    path = files(log)[number]
    write_segment(path, change(list(segment_rows(path))))
    with closing(sqlite3.connect(log.path, isolation_level=None)) as db:
        db.execute("UPDATE segments SET digest = ? WHERE file = ?", (blake3_hash(path.read_bytes()), path.name))
    return path.name


def readable_around(log: Log, first: int, last: int) -> None:
    """What lies before and behind a damaged place is read."""
    head = log.head()
    assert [r.position for r in log.read(upto=first - 1)] == list(range(1, first))
    assert [r.position for r in log.read(last)] == list(range(last + 1, head + 1))


def test_a_segment_file_that_is_gone_is_named_and_the_rest_is_read(sealed: Log) -> None:
    files(sealed)[1].unlink()
    assert {p.segment for p in named(sealed)} == {files(sealed)[1].name}
    readable_around(sealed, 21, 40)
    with pytest.raises(IntegrityError, match=files(sealed)[1].name):
        list(sealed.read())


@pytest.mark.parametrize("left", [0, 3, 4, 0.5, -1, -8])
def test_a_segment_file_that_was_cut_is_named_and_the_rest_is_read(sealed: Log, left: float) -> None:
    path = files(sealed)[1]
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * left) if isinstance(left, float) else left])
    assert {p.segment for p in named(sealed)} == {path.name}
    readable_around(sealed, 21, 40)


def test_two_segment_files_that_were_swapped_are_both_named(sealed: Log) -> None:
    one, two, _ = files(sealed)
    kept = one.with_name("kept")
    shutil.move(one, kept)
    shutil.move(two, one)
    shutil.move(kept, two)
    assert {p.segment for p in named(sealed)} == {one.name, two.name}
    assert [r.position for r in sealed.read(40)] == list(range(41, 91))


def test_a_segment_that_the_manifest_lost_is_a_gap_that_is_named(sealed: Log) -> None:
    run(sealed, "DELETE FROM segments WHERE first = 21")
    (gap, *_) = named(sealed)
    assert gap.what == "positions 21..40 are in no segment"
    assert gap.segment == files(sealed)[2].name


def test_the_last_segment_that_the_manifest_lost_is_named_too(sealed: Log) -> None:
    run(sealed, "DELETE FROM segments WHERE first = 41")
    assert "sealed up to 60, but the segments end at 40" in {p.what for p in named(sealed)}


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[:-1],
        lambda rows: rows[1:],
        lambda rows: rows[:5] + rows[6:],
        lambda rows: [*rows[:5], rows[6], rows[5], *rows[7:]],
        lambda rows: [*rows[:5], (*rows[5][:9], rows[8][9], *rows[5][10:]), *rows[6:]],
        lambda rows: [*rows[:5], (*rows[5][:5], rows[5][5] + 1, *rows[5][6:]), *rows[6:]],
        lambda rows: [*rows, (rows[-1][0] + 1, *rows[-1][1:])],
        lambda rows: [*rows[:5], (7, "", 7, "", 0, 0, None, 6, "system", None, bytes(32)), *rows[7:]],
    ],
    ids=["last", "first", "dropped", "reordered", "payload-swapped", "time-changed", "added", "jumped-over"],
)
@pytest.mark.parametrize("number", range(3))
def test_a_segment_written_anew_with_other_rows_is_named_though_its_digest_fits(
    sealed: Log, number: int, change: Callable[[list[SegmentRow]], list[SegmentRow]]
) -> None:
    name = rewrite(sealed, number, change)
    assert name in {p.segment for p in named(sealed)}
    first, last = RANGES[number]
    readable_around(sealed, first, last)


@pytest.mark.parametrize("lie", [-1, 0, 30, 2**62])
def test_statistics_that_lie_hide_no_row_though_the_digest_of_their_file_fits(sealed: Log, lie: int) -> None:
    path = files(sealed)[1]
    content = path.read_bytes()
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    forged = content[footer:]
    for told in RANGES[1]:
        assert forged.count(told.to_bytes(8, "little")) == 2, (
            "what the footer says is the least or the greatest position"
        )
        forged = forged.replace(told.to_bytes(8, "little"), lie.to_bytes(8, "little", signed=True))
    path.write_bytes(content[:footer] + forged)
    run(sealed, f"UPDATE segments SET digest = x'{blake3_hash(path.read_bytes()).hex()}' WHERE file = '{path.name}'")
    for after in (0, 20, 25, 39):
        assert [r.position for r in sealed.read(after, upto=41)] == list(range(after + 1, 42))


def test_a_run_that_a_forger_jumped_over_with_the_right_link_is_named_because_no_event_attests_it(sealed: Log) -> None:
    def jump(rows: list[SegmentRow]) -> list[SegmentRow]:
        link = bytes(32)
        for row in rows[:7]:
            link = link_row(link, row[:9], blake3_hash(row[9]))
        return [*rows[:5], (7, "", 7, "", 0, 0, None, 6, "system", None, link), *rows[7:]]

    rewrite(sealed, 0, jump)
    assert [(p.position, p.what) for p in named(sealed)] == [
        (7, "positions 6..7 are missing, and no SegmentFolded event names them")
    ]


def test_hot_rows_that_changed_places_are_named(sealed: Log) -> None:
    run(
        sealed,
        "UPDATE events SET position = 1000 WHERE position = 70",
        "UPDATE events SET position = 70 WHERE position = 80",
        "UPDATE events SET position = 80 WHERE position = 1000",
    )
    assert {70, 80} <= {p.position for p in named(sealed)}
    assert [r.position for r in sealed.read()] == list(range(1, 91))


@pytest.mark.parametrize("position", [61, 75, 90])
def test_a_hot_row_that_was_dropped_is_named_and_the_rest_is_read(sealed: Log, position: int) -> None:
    run(sealed, f"DELETE FROM events WHERE position = {position}")
    assert position in {p.position for p in named(sealed)}
    assert [r.position for r in sealed.read()] == [p for p in range(1, 91) if p != position]


def test_a_hot_row_that_was_put_in_is_named(sealed: Log) -> None:
    columns = "originator_id, originator_version, topic, state, v, at, caused_by, correlation, origin, link, leaf"
    run(sealed, f"INSERT INTO events SELECT 91, {columns} FROM events WHERE position = 90")
    assert 91 in {p.position for p in named(sealed)}


@pytest.mark.parametrize("end", [40, 60, 75])
def test_a_tail_that_was_cut_with_care_shows_against_an_anchor_wherever_it_ends(sealed: Log, end: int) -> None:
    """Segments, rows and head are made to fit: nothing but an anchor kept elsewhere can tell."""
    anchor = sealed.anchor()
    link = next((s[6] for s in sealed.reader().segments() if s[1] == end), None)
    link = link or next(iter(sealed.reader().rows(end - 1, limit=1))).link
    sealed.close()
    run(
        sealed,
        f"DELETE FROM events WHERE position > {end}",
        f"DELETE FROM segments WHERE last > {end}",
        f"UPDATE head SET position = {end}, link = x'{link.hex()}', sealed_upto = min(sealed_upto, {end})",
    )
    assert named(sealed) == []
    assert [(p.position, p.what) for p in named(sealed, anchor)] == [
        (90, "the anchor is beyond the end of the log: its tail was cut off")
    ]
    sealed.append([NewEvent("p", Paused()) for _ in range(90 - end)])
    assert [(p.position, p.what) for p in named(sealed, anchor)] == [(90, "the anchor carries another hash")]
