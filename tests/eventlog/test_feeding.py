"""How hot rows get into a segment: through the SQLite library that Python has loaded, or where that is out of reach,
through Python."""

from __future__ import annotations

import _sqlite3
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import FilesChanged, Paused
from kairos.errors import IntegrityError
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.segment import NewSegment, segment_rows
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = Log(tmp_path / "k" / "log.db")
    told = FilesChanged(repo="r", burst="b", part=1, parts=1, changes=[])
    for number in range(60):
        log.append([NewEvent("ä" * (number % 3), told), NewEvent("b", Paused(), -1, "user")])
    return log


def fed(log: Log, name: str, first: int = 1, last: int = 120) -> Path:
    segment = NewSegment(log.path.with_name(name))
    count = segment.fill(lambda writer: log.reader().feed(writer, first, last))
    segment.finish()
    assert count == len(list(segment_rows(segment.path))) == last - first + 1
    return segment.path


class PastPython:
    """A sink that takes no row through Python."""

    def __init__(self, writer: Any) -> None:
        self.add_hot = writer.add_hot

    def add(self, rows: object) -> int:
        raise AssertionError("the library that Python has loaded is out of reach")


def test_rows_that_pass_by_python_and_rows_that_pass_through_it_make_the_same_file(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = NewSegment(log.path.with_name("direct"))
    assert segment.fill(lambda writer: log.reader().feed(PastPython(writer), 1, 120)) == 120
    segment.finish()
    direct = segment.path.read_bytes()
    for file in (None, "/no/such/module.so"):
        if file is None:
            monkeypatch.delattr(_sqlite3, "__file__")
        else:
            monkeypatch.setattr(_sqlite3, "__file__", file, raising=False)
        assert fed(log, "through").read_bytes() == direct


def test_only_the_rows_between_two_positions_are_fed(log: Log) -> None:
    assert [row[0] for row in segment_rows(fed(log, "some", 7, 31))] == list(range(7, 32))


def test_a_segment_is_its_owners_alone(log: Log) -> None:
    assert fed(log, "own").stat().st_mode & 0o777 == 0o600


LOCKED = """
import sqlite3, sys
try:
    sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0.1).execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    print(error)
"""


def test_feeding_does_not_drop_the_locks_that_this_process_holds(log: Log) -> None:
    holder = sqlite3.connect(log.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    fed(log, "while-locked")
    other = subprocess.run([sys.executable, "-c", LOCKED, log.path], check=True, capture_output=True, text=True)
    assert other.stdout == "database is locked\n"
    holder.execute("ROLLBACK")
    holder.close()


def test_a_text_that_is_no_text_any_more_stops_a_compaction_that_says_so(log: Log) -> None:
    with sqlite3.connect(log.path) as damage:
        damage.execute("UPDATE events SET originator_id = CAST(x'62ff' AS TEXT) WHERE position = 40")
    damage.close()
    with pytest.raises(IntegrityError, match="malformed row 40"):
        compact(log)
    assert log.sealed_upto() == 0
    assert [p.name for p in log.segments.iterdir()] == [".lock"]


def test_a_damaged_page_stops_a_compaction_that_says_so(log: Log) -> None:
    log.append([NewEvent("b", Paused()) for _ in range(2_000)])
    with sqlite3.connect(log.path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events'").fetchone()
    db.close()
    log.close()
    with log.path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(IntegrityError, match="damaged"):
        compact(Log(log.path))
