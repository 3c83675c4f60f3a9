"""A segment file is whole and proven, or it is not there; one that is damaged is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kairos._native import blake3_hash
from kairos.domain.events import Paused, Resumed
from kairos.errors import IntegrityError, TryAgain
from kairos.eventlog.cold import segment
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent

Rows = list[tuple[Any, ...]]


class Collecting:
    """Takes hot rows as the writer of a segment would."""

    def __init__(self) -> None:
        self.rows: Rows = []

    def add(self, rows: Any) -> int:
        taken = list(rows)
        self.rows += taken
        return len(taken)

    def add_hot(self, *_: object) -> None:
        return None


@pytest.fixture
def rows(log: Log) -> Rows:
    """The hot rows of six events of two topics, as segments hold them."""
    for n in range(3):
        log.append([NewEvent(f"s{n}", Resumed()), NewEvent("s", Paused())])
    taken = Collecting()
    log.reader().feed(taken, 1, 6)
    assert len(taken.rows) == 6
    return taken.rows


def link(log: Log, position: int) -> bytes:
    return log.at_row(position).link


def test_rows_come_back_as_they_went_in_and_in_any_range(rows: Rows, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    assert segment.write_segment(path, rows) == (6, path.stat().st_size)
    assert list(segment.segment_rows(path)) == rows
    assert [r[0] for r in segment.segment_rows(path, 2, 5)] == [3, 4, 5]
    assert [r[0] for r in segment.segment_rows(path, 0, 9, ["Resumed"])] == [1, 3, 5]
    opened = segment.OpenSegment(path, 1)
    assert [r[0] for r in opened.read(2)] == [2, 3]
    path.unlink()
    assert [r[0] for r in opened.read(99)] == [4, 5, 6] and opened.read() == [], "it goes on though the file is gone"


def test_a_written_file_is_proven_by_its_rows_and_links(rows: Rows, log: Log, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    segment.write_segment(path, rows)
    proven = segment.prove_segment(path, 6, bytes(32), link(log, 6))
    assert (proven.digest, proven.runs) == (blake3_hash(path.read_bytes()), [])
    assert list(segment.segment_rows(path, sealed=proven.digest)) == rows
    with pytest.raises(IntegrityError, match="not the one that was sealed"):
        list(segment.segment_rows(path, sealed=bytes(32)))
    assert segment.walk_segment(path, bytes(32), 3).link == link(log, 3)


@pytest.mark.parametrize("harm", ["a row too few", "another link before", "another link after", "no segment"])
def test_a_file_that_does_not_prove_itself_is_removed(harm: str, rows: Rows, log: Log, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    segment.write_segment(path, rows[:-1] if harm == "a row too few" else rows)
    if harm == "no segment":
        path.write_bytes(b"PAR1")
    before = b"x" * 32 if harm == "another link before" else bytes(32)
    after = b"x" * 32 if harm == "another link after" else link(log, 6)
    with pytest.raises(IntegrityError, match="stay in the database"):
        segment.prove_segment(path, 6, before, after)
    assert not path.exists()


def test_what_cannot_be_written_leaves_no_file(rows: Rows, tmp_path: Path) -> None:
    with pytest.raises(TryAgain, match="could not be written"):
        segment.write_segment(tmp_path / "none" / "a.parquet", rows)

    def failing() -> Any:
        yield rows[0]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        segment.write_segment(tmp_path / "a.parquet", failing())
    with pytest.raises(TryAgain):
        segment.NewSegment(tmp_path / "b.parquet").fill(lambda writer: (_ for _ in ()).throw(OSError(28, "full")))
    assert list(tmp_path.glob("*.parquet")) == []


def test_excising_keeps_the_hash_of_what_went(rows: Rows) -> None:
    [first, second, *_] = segment.without(rows[:2], {1, 99})
    assert (first[9], first[10]) == (None, blake3_hash(rows[0][9]))
    assert (first[:9], second) == (rows[0][:9], rows[1])
    assert list(segment.without([first], {1})) == [first], "what is gone already stays as it is"


def test_a_file_gets_its_name_or_is_said_to_have_none(rows: Rows, tmp_path: Path) -> None:
    segment.write_segment(tmp_path / "tmp", rows)
    segment.publish(tmp_path / "tmp", tmp_path / "a.parquet")
    assert list(segment.segment_rows(tmp_path / "a.parquet")) == rows
    with pytest.raises(TryAgain, match="could not be renamed"):
        segment.publish(tmp_path / "tmp", tmp_path / "b.parquet")


def test_reading_a_file_that_is_not_there_names_it(tmp_path: Path) -> None:
    for read in (segment.OpenSegment, lambda path: segment.walk_segment(path, bytes(32))):
        with pytest.raises(IntegrityError, match=r"none\.parquet cannot be read"):
            read(tmp_path / "none.parquet")
