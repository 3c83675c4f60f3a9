"""The event log, on real SQLite files and a real PostgreSQL server."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kairos.domain.events import AttentionHeld, Paused, Resumed
from kairos.errors import Conflict, IntegrityError, NotFound, TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop, NewEvent, Put, Track


@pytest.fixture
def log(any_log: Log) -> Log:
    """On either engine."""
    return any_log


SQLITE = pytest.mark.parametrize("any_log", ["sqlite"], indirect=True)
"""What only a file can be tried with."""


def test_positions_ascend_and_each_event_knows_its_root(log: Log) -> None:
    first, second = log.append([NewEvent("a", Paused()), NewEvent("b", Resumed(), -1)])
    third = log.append([NewEvent("a", Resumed(), second)])[0]
    rows = list(log.read())
    assert [r.position for r in rows] == [first, second, third] == [1, 2, 3]
    assert [(r.caused_by, r.correlation) for r in rows] == [(None, 1), (1, 1), (2, 1)]
    assert [(r.stream, r.version) for r in rows] == [("a", 1), ("b", 1), ("a", 2)]


def test_a_cause_that_lies_ahead_is_refused_and_nothing_is_written(log: Log) -> None:
    with pytest.raises(ValueError, match="cannot be caused"):
        log.append([NewEvent("a", Paused(), -1)])
    with pytest.raises(NotFound):
        log.append([NewEvent("a", Paused(), 99)])
    assert log.head() == 0


def test_an_append_that_expected_another_version_writes_nothing(log: Log) -> None:
    log.append([NewEvent("a", Paused())], expected={"a": 0}, writes=[Put("v", b"k", b"1")])
    with pytest.raises(Conflict):
        log.append([NewEvent("a", Resumed())], expected={"a": 0}, writes=[Put("v", b"k", b"2")])
    assert (log.head(), log.view("v")) == (1, {b"k": b"1"})


def test_views_and_tracking_are_written_with_the_events(log: Log) -> None:
    log.append([NewEvent("a", Paused())], writes=[Put("v", b"k", b"1"), Put("v", b"l", b"2"), Track("t", 1)])
    assert log.view("v") == {b"k": b"1", b"l": b"2"}
    assert log.tracking("t") == 1
    log.append([], writes=[Drop("v", b"k")])
    assert log.view("v") == {b"l": b"2"}
    log.append([], writes=[Drop("v")])
    assert log.view("v") == {}


@SQLITE
def test_secrets_are_cut_from_free_text_before_they_are_stored(log: Log) -> None:
    key = "AKIA" + "QRSTUVWXYZ234567"
    log.append([NewEvent("a", AttentionHeld(repo="r", subject="s", why=f"found {key} here", rule="x@1"))])
    event = log.at(1).event
    assert isinstance(event, AttentionHeld)
    assert key not in event.why
    assert key.encode() not in b"".join(p.read_bytes() for p in log.path.parent.glob("log.db*"))


@SQLITE
def test_positions_are_not_reused_after_everything_was_deleted(log: Log) -> None:
    log.append([NewEvent("a", Paused()) for _ in range(5)])
    log.close()
    with sqlite3.connect(log.path) as db:
        db.execute("DELETE FROM events")
    db.close()
    vacuum = sqlite3.connect(log.path)
    vacuum.execute("VACUUM")
    vacuum.close()
    assert log.append([NewEvent("a", Paused())]) == [6]


def _append_many(path: Path, url: str, name: str, count: int) -> None:
    log = Log(path, url=url)
    for _ in range(count):
        log.append([NewEvent(name, Paused()), NewEvent("shared", Resumed(), -1)])
    log.close()


def test_two_writing_processes_lose_nothing_and_repeat_nothing(log: Log) -> None:
    log.append([NewEvent("start", Paused())])
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append_many, args=(log.path, log.url, f"w{i}", 100)) for i in range(2)]
    for writer in writers:
        writer.start()
    seen = []
    while any(w.is_alive() for w in writers):
        seen += list(log.read(seen[-1].position if seen else 0))
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    seen += list(log.read(seen[-1].position if seen else 0))
    assert [r.position for r in seen] == list(range(1, 402))
    assert [r.version for r in seen if r.stream == "shared"] == list(range(1, 201))


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    path.write_bytes(b"this is not a database, it is a diary" * 200)
    before = path.read_bytes()
    with pytest.raises(IntegrityError, match="damaged"):
        Log(path).head()
    with pytest.raises(IntegrityError, match="damaged"):
        Log(path).append([NewEvent("a", Paused())])
    assert path.read_bytes() == before


@SQLITE
def test_an_event_of_an_unknown_type_is_named(log: Log) -> None:
    log.append([NewEvent("a", Paused())])
    log.close()
    with sqlite3.connect(log.path) as db:
        db.execute("UPDATE events SET topic = 'Martian'")
    db.close()
    with pytest.raises(IntegrityError, match="Martian"):
        list(log.read())


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_loses_nothing_and_work_resumes_when_space_returns(tmp_path: Path) -> None:
    disk = tmp_path / "small"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk], check=True)
    try:
        log = Log(disk / "log.db")
        log.append([NewEvent("a", Paused())])
        stored = 1
        held = AttentionHeld(repo="r", subject="s", why="x" * 8_000, rule="x@1")
        with pytest.raises(TryAgain, match="full"):
            for _ in range(200):
                log.append([NewEvent("a", held)])
                stored += 1
        assert log.head() == stored
        subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
        assert log.append([NewEvent("a", held)]) == [stored + 1]
        assert [r.position for r in log.read()] == list(range(1, stored + 2))
        log.close()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=5), max_size=8), st.integers(0, 30))
def test_reading_in_any_pieces_gives_the_same_sequence(tmp_path_factory, batches, cut) -> None:  # type: ignore[no-untyped-def]
    log = Log(tmp_path_factory.mktemp("log") / "log.db")
    for batch in batches:
        log.append([NewEvent(s, Paused()) for s in batch])
    whole = list(log.read())
    assert list(log.read(upto=cut)) + list(log.read(cut)) == whole
    assert [r for s in "abc" for r in log.stream(s)] == sorted(whole, key=lambda r: (r.stream, r.position))
    log.close()


def test_rows_of_a_view_are_read_in_the_order_of_their_keys_some_at_a_time(log: Log) -> None:
    keys = [b"", b"a", b"a\0", b"a-b", b"a/b", b"\xff", b"\xff\xff"]
    log.append([], writes=[Put("v", key, key + b"!") for key in reversed(keys)] + [Put("w", b"b", b"other")])
    assert log.view_rows("v", b"", b"\xff" * 3, 100) == [(key, key + b"!") for key in keys]
    found, first = [], b""
    while rows := log.view_rows("v", first, b"\xff" * 3, 2):
        assert len(rows) <= 2
        found += [key for key, _ in rows]
        first = rows[-1][0] + b"\0"
    assert found == keys and log.view_rows("nothing", b"", b"b", 9) == []
