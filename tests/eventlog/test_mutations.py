"""Any byte that is not as it was written is found, and the place named: hot rows, segment files, the raw database."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from itertools import accumulate, count
from pathlib import Path

import pytest

from kairos._native import blake3_hash
from kairos.clock import parse_time
from kairos.domain.events import AttentionHeld, Change, CommitChange, CommitRecorded, FilesChanged, Paused
from kairos.errors import IntegrityError
from kairos.eventlog.cold import compaction
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.forgetting import forget_positions
from kairos.eventlog.cold.segment import SegmentRow, segment_rows, walk_segment
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent

pytestmark = pytest.mark.slow

HOT, RAW = 5_000, 125
DATES = ("2001-02-03T04:05:06Z", "2024-02-29T12:00:00Z", "2026-11-30T00:00:00Z", "2038-01-19T03:14:07Z")
"""Each gives other bytes to encode: what is found must not hang on the day on which it is looked for."""
COLUMNS = ("originator_id", "topic", "state", "origin", "leaf", "link")
NUMBERS = ("originator_version", "v", "at", "caused_by", "correlation")


@pytest.fixture(params=DATES)
def date(request: pytest.FixtureRequest) -> str:
    """When everything is recorded."""
    return str(request.param)


@pytest.fixture
def chance(date: str, monkeypatch: pytest.MonkeyPatch) -> random.Random:
    """The chance of a date: how much time passes between two appends, and what is changed."""
    dice = random.Random(date)
    times = accumulate((dice.randint(150, 1_500) for _ in count()), initial=parse_time(date))
    monkeypatch.setattr("kairos.eventlog.log.now_us", lambda: next(times))
    return dice


@pytest.fixture
def disk() -> Iterator[Path]:
    """A folder in memory, where there is one: thousands of files are written."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="kairos-bytes-", dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def fill(log: Log, first: int = 0, rounds: int = 6) -> None:
    """Every way in which a segment holds an event: typed, as JSON, erased."""
    held = AttentionHeld(repo="r", subject="s", why="because", rule="x@1")
    for i in range(first, first + rounds):
        changes = [Change(path=f"src/m{i}.py", kind="modified", size=i, mode=0o644, mtime_ns=1_700_000_000 + i)]
        changes.append(Change(path_b64="/w==", kind="moved", size=3, mode=0o755, mtime_ns=7))
        commit = CommitRecorded(
            repo="r", oid=f"{i:040x}", parents=[], author="Ada", at_s=i, subject="one",
            changes=[CommitChange(path=f"src/m{i}.py", status="M")],
        )  # fmt: skip
        told = FilesChanged(repo="r", burst=f"b{i}", part=1, parts=1, changes=changes)
        log.append([NewEvent("r", told), NewEvent("r", commit, -1), NewEvent("r", held, -1), NewEvent("p", Paused())])
    forget_positions(log, [log.head() - 1], "slip", "user")


@pytest.mark.parametrize("date", DATES[:1])
def test_every_changed_byte_of_a_hot_row_is_found_at_its_position(disk: Path, chance: random.Random) -> None:
    log = Log(disk / "log.db")
    fill(log)
    head, excised = log.head(), log.head() - 2
    assert log.at_row(excised).payload is None and verify_log(log).ok
    named = 0
    with closing(sqlite3.connect(log.path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.text_factory = bytes
        while named < HOT:
            position, column = chance.randint(1, head), chance.choice(COLUMNS)
            (value,) = db.execute(f"SELECT {column} FROM events WHERE position = ?", (position,)).fetchone()
            if value is None:
                continue
            changed = bytearray(value)
            changed[chance.randrange(len(value))] ^= chance.randint(1, 255)
            kind = "TEXT" if column in ("originator_id", "topic", "origin") else "BLOB"
            change = f"UPDATE events SET {column} = CAST(? AS {kind}) WHERE position = ?"
            db.execute(change, (bytes(changed), position))
            found = verify_log(log)
            assert position in {p.position for p in found.problems}, (position, column, value, bytes(changed))
            assert {p.position for p in found.problems} <= {position, position + 1, head, excised}
            named += 1
            db.execute(change, (bytes(value), position))
        for position in range(1, head + 1):
            for column in NUMBERS:
                db.execute(f"UPDATE events SET {column} = coalesce({column}, 0) + 1 WHERE position = ?", (position,))
                assert position in {p.position for p in verify_log(log).problems}, (position, column)
                back = "NULLIF(%s - 1, 0)" if column == "caused_by" else "%s - 1"
                db.execute(f"UPDATE events SET {column} = {back % column} WHERE position = ?", (position,))
    assert verify_log(log).ok
    log.close()


@pytest.fixture
def sealed(disk: Path, chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """Two segments and a hot tail."""
    monkeypatch.setattr(compaction, "ROWS_A_SEGMENT", 14)
    log = Log(disk / "log.db")
    fill(log)
    compact(log)
    fill(log, 100, 2)
    assert len(list(log.segments.glob("*.parquet"))) == 2
    yield log
    log.close()


def answers(path: Path) -> list[list[SegmentRow]]:
    """What a segment says to every kind of question: all of it, from a place, up to one, of some types."""
    questions: list[tuple[int, int, set[str]]] = [
        (-(2**62), 2**62, set()), (0, 2**62, set()), (5, 9, set()), (16, 24, set()), (13, 14, {"Paused"}),
        (0, 2**62, {"FilesChanged"}), (9, 2**62, {"CommitRecorded"}),
    ]  # fmt: skip
    return [list(segment_rows(path, after, upto, topics)) for after, upto, topics in questions]


def test_every_changed_byte_of_a_segment_is_found_and_none_changes_what_it_says_unseen(
    sealed: Log, date: str, chance: random.Random
) -> None:
    """By the digest, before anything is read. Where that is left out, by the walk, unless every answer is the same. Of
    each segment a date changes every fourth byte, from a place of its own: all dates together change all."""
    harmless = size = 0
    for _, _, file, _, digest, before, after, _ in sealed.reader().segments():
        path = sealed.segments / file
        content, said = path.read_bytes(), answers(path)
        assert blake3_hash(content) == digest and sum(map(len, said)) > len(said[0]) > 10
        size += len(content)
        for offset in range(DATES.index(date), len(content), len(DATES)):
            changed = bytearray(content)
            changed[offset] ^= chance.choice((chance.randint(1, 255), 1 << chance.randrange(8)))
            path.write_bytes(changed)
            with pytest.raises(IntegrityError, match=f"{file}.* is not the one that was sealed"):
                list(segment_rows(path, 9, 9, sealed=digest))
            if chance.randrange(12) == 0:
                found = verify_log(sealed)
                assert {p.segment for p in found.problems if p.segment} == {file}, (file, offset)
            try:
                walked = walk_segment(path, before)
            except IntegrityError as error:
                assert file in error.message
                continue
            assert walked.digest != digest
            if (walked.link, walked.rows) == (after, len(said[0])):
                assert answers(path) == said, (file, offset, changed[offset])
                harmless += 1
        path.write_bytes(content)
    assert 10 < harmless < size // len(DATES) // 2, "most of a file is content"
    assert verify_log(sealed).ok


def test_a_changed_byte_of_the_raw_database_is_found_or_changes_no_row(sealed: Log, chance: random.Random) -> None:
    """Of pages that hold rows. What is kept beside them (views, free space) is made anew or said by nobody."""
    sealed.close()
    whole = sealed.path.read_bytes()
    before = list(sealed.reader().rows())
    sealed.close()
    found = 0
    for _ in range(RAW):
        changed = bytearray(whole)
        offset = chance.randrange(len(whole))
        changed[offset] ^= chance.randint(1, 255)
        work = sealed.path.with_name("work.db")
        work.write_bytes(changed)
        log = Log(work, segments=sealed.segments)
        try:
            with log.errors():
                ok = verify_log(log).ok
                if ok:
                    assert list(log.reader().rows()) == before, offset
                found += not ok
        except IntegrityError:
            found += 1
        finally:
            log.close()
            for path in work.parent.glob("work.db*"):
                path.unlink()
    assert found > RAW // 25
