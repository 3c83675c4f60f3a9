"""Seal, verify, retire, on real files; killed anywhere, replay is identical."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kairos.clock import now_us
from kairos.domain.events import AttentionHeld, BaselineRecorded, Change, FilesChanged, Paused, RepoTrusted, Resumed
from kairos.errors import IntegrityError
from kairos.eventlog.cold import compaction
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Recorded, Track
from kairos.eventlog.views.log_views import log_views
from kairos.eventlog.views.replay import replay_verify

DOCS = (Path(__file__).parents[3] / "docs/how-to/log.md").read_text(encoding="utf-8")


def shown(language: str, log: Log) -> str:
    """The query in a language that the documentation shows, over the segments of a log."""
    query = DOCS.split(f"```{language}\n")[1].split("```")[0]
    assert "segments/*.parquet" in query
    return query.replace("segments/*.parquet", str(log.segments / "*.parquet"))


def filled(log: Log, count: int = 300) -> list[Recorded]:
    held = AttentionHeld(repo="r", subject="s", why="because", rule="x@1")
    for i in range(count // 3):
        log.append([NewEvent(f"s{i % 4}", Paused()), NewEvent("r", held, -1), NewEvent(f"s{i % 4}", Resumed(), -2)])
    return list(log.read())


def test_replay_and_streams_are_identical_before_and_after(log: Log) -> None:
    before = filled(log)
    streams = {s: log.stream(s) for s in ("s0", "s1", "r")}
    done = compact(log)
    assert [(s.first, s.last) for s in done.sealed] == [(1, 300)]
    assert done.retired == 300
    assert list(log.read(upto=300)) == before
    assert {s: log.stream(s) for s in streams} == streams
    assert log.at(17) == before[16]
    assert [r.position for r in log.read(50, limit=7, topics={"Resumed"})] == [51, 54, 57, 60, 63, 66, 69]
    assert verify_log(log).ok
    assert replay_verify(log, log_views()).identical
    log.append([NewEvent("s0", Paused(), 17)])
    assert log.at(log.head()).correlation == before[16].correlation


def test_a_second_run_has_nothing_to_do_but_its_own_events(log: Log) -> None:
    filled(log)
    compact(log, before=now_us())
    head = log.head()
    assert compact(log, before=now_us()).sealed == []
    assert log.head() == head


def test_nothing_is_sealed_past_the_slowest_follower(log: Log) -> None:
    filled(log)
    log.append([], writes=[Track("slow", 120)])
    assert [(s.first, s.last) for s in compact(log).sealed] == [(1, 120)]


def test_what_the_reactor_has_never_looked_at_is_not_sealed(log: Log) -> None:
    log.append([NewEvent("r", RepoTrusted(repo="r", root="/r", dev=1, ino=1, by="ada"), None, "user")])
    log.append([NewEvent("r", BaselineRecorded(repo="r", entries=0, commits=0), None, "baseline")])
    told = FilesChanged(repo="r", burst="b", part=1, parts=1, changes=[])
    log.append([NewEvent("b", Paused()), NewEvent("r", told)])
    assert [(s.first, s.last) for s in compact(log).sealed] == [(1, 3)]
    log.append([], writes=[Track("reactor/r", log.head())])
    assert compact(log).sealed[0].first == 4


def test_only_what_is_old_enough_is_sealed(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "WORTHWHILE", 1)
    filled(log)
    moment = log.at(200).at
    done = compact(log, before=moment)
    assert done.sealed and all(log.at(s.last).at < moment for s in done.sealed)


def test_a_damaged_row_is_never_sealed(log: Log) -> None:
    filled(log)
    with closing(sqlite3.connect(log.path)) as db, db:
        db.execute("UPDATE events SET state = ? WHERE position = 40", (b'{"until":5}',))
    with pytest.raises(IntegrityError, match="do not match the hashes"):
        compact(log)
    assert log.sealed_upto() == 0
    assert [p.position for p in verify_log(log).problems] == [40]
    assert not list(log.segments.glob("*.parquet*"))


def test_a_file_left_by_a_killed_run_is_collected(log: Log) -> None:
    filled(log)
    log.segments.mkdir(parents=True)
    orphan = log.segments / "000000000001-000000000300.parquet"
    orphan.write_bytes(b"half a segment")
    compact(log)
    assert verify_log(log).ok
    assert orphan.stat().st_size > 1_000


def test_a_flipped_byte_in_a_segment_is_named(log: Log) -> None:
    filled(log)
    compact(log)
    segment = next(log.segments.glob("*.parquet"))
    content = bytearray(segment.read_bytes())
    for offset in range(4, len(content) - 8, max(1, len(content) // 40)):
        content[offset] ^= 0x10
        segment.write_bytes(content)
        assert segment.name in {p.segment for p in verify_log(log).problems}, offset
        content[offset] ^= 0x10
    segment.write_bytes(content)
    assert verify_log(log).ok


def test_a_flipped_byte_in_a_segment_hides_no_event_from_a_reader(log: Log) -> None:
    """Statistics say which rows a reader may pass over: they too must be as they were sealed."""
    before = filled(log)
    compact(log)
    segment = next(log.segments.glob("*.parquet"))
    content = bytearray(segment.read_bytes())
    for offset in range(4, len(content), max(1, len(content) // 60)):
        content[offset] ^= 0x10
        segment.write_bytes(content)
        with closing(Log(log.path)) as fresh, pytest.raises(IntegrityError, match="not the one that was sealed"):
            list(fresh.read(250, upto=260))
        content[offset] ^= 0x10
    segment.write_bytes(content)
    assert list(log.read(upto=300)) == before


def test_a_reader_notices_a_segment_that_was_changed_since_it_was_last_read(log: Log) -> None:
    before = filled(log)
    compact(log)
    segment = next(log.segments.glob("*.parquet"))
    content = segment.read_bytes()
    for offset in range(4, len(content), len(content) // 20):
        assert log.at(17) == before[16]
        changed = bytearray(content)
        changed[offset] ^= 0x10
        segment.write_bytes(changed)
        with pytest.raises(IntegrityError, match="not the one that was sealed"):
            log.at(17)
        segment.write_bytes(content)
    assert list(log.read(upto=300)) == before


def test_a_reader_notices_that_a_segment_is_changed_under_its_hands(log: Log) -> None:
    filled(log, 6_000)
    compact(log)
    segment = next(log.segments.glob("*.parquet"))
    reading = log.read(upto=6_000)
    assert next(reading).position == 1
    segment.write_bytes(segment.read_bytes()[:-9] + bytes(9))
    with pytest.raises(IntegrityError, match="written to while it was read"):
        list(reading)


@pytest.fixture
def observed(log: Log) -> Log:
    """Thirty sealed observations of two paths each, with another event between them."""
    seen = [FilesChanged(repo="r", burst=f"b{i}", part=1, parts=1, changes=changes(i)) for i in range(30)]
    log.append([NewEvent("r", event) for event in seen[:15]])
    log.append([NewEvent("s", Paused()), *(NewEvent("r", event) for event in seen[15:])])
    before = list(log.read())
    compact(log)
    assert list(log.read(upto=31)) == before
    return log


MOST = [("a.py", 30), *((path, 2) for path in sorted(f"d{i}" for i in range(15)))]
"""The paths that changed most, as the documented queries give them."""


def test_the_documented_query_works_in_duckdb(observed: Log) -> None:
    import duckdb

    assert duckdb.sql(shown("sql", observed)).fetchall() == MOST
    segment = str(observed.segments / "*.parquet")
    counted = f"SELECT count(DISTINCT position) FROM '{segment}' WHERE topic = 'FilesChanged'"
    assert duckdb.sql(counted).fetchall() == [(30,)]


def test_the_documented_query_works_in_polars(observed: Log) -> None:
    import polars

    names = {"pl": polars}
    exec(shown("python", observed), names)
    assert names["times"].rows() == MOST


def test_segments_of_both_layouts_are_read_together_as_documented(observed: Log) -> None:
    import duckdb

    old = Path(__file__).parents[2] / "golden/log-v1/segments/000000000001-000000000004.parquet"
    shutil.copy(old, observed.segments / "old.parquet")
    call = next(part for part in DOCS.split("`") if part.startswith("read_parquet("))
    call = call.replace("segments/*.parquet", str(observed.segments / "*.parquet"))
    assert duckdb.sql(f"SELECT count(*) FROM {call}").fetchall() == [(30 * 2 + 1 + 4,)]


def changes(number: int) -> list[Change]:
    change = Change(path="a.py", kind="modified", size=number, mode=0o644, mtime_ns=number)
    return [change, Change(path=f"d{number % 15}", kind="deleted")]


def test_observations_are_small_once_sealed(log: Log) -> None:
    """At most 40 bytes each; a batch shares its time of recording here, as one append does."""
    chance = random.Random(7)
    sizes: dict[str, int] = {}
    now = 1_763_800_000_000_000_000
    for _ in range(40):
        batch = []
        for _ in range(500):
            path = f"src/shop/{chance.randrange(12)}/module_{int(chance.paretovariate(0.6)) % 900}.py"
            sizes[path] = max(0, sizes.get(path, 4_000) + chance.randrange(-60, 90))
            now += int(chance.expovariate(1 / 3e9))
            change = Change(path=path, kind="modified", size=sizes[path], mode=0o644, mtime_ns=now)
            burst = f"{chance.getrandbits(64):016x}"
            batch.append(NewEvent("r", FilesChanged(repo="r", burst=burst, part=1, parts=1, changes=[change])))
        log.append(batch)
    cold = compact(log).cold_bytes
    assert cold / 20_000 <= 40
