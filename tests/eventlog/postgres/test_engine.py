"""What leads to a log on PostgreSQL, and what several homes share of it."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import Paused
from kairos.errors import IntegrityError, TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.postgres.making import ALL, MAKING, make
from kairos.eventlog.postgres.pool import Pool
from kairos.eventlog.record import NewEvent


def tables(postgres: Any, url: str) -> set[str]:
    with postgres.admin(url) as db:
        return {row[0] for row in db.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace ="
                                             " current_schema()::regnamespace").fetchall()}  # fmt: skip


def test_asking_whether_there_is_a_log_makes_none(postgres: Any, shared: Log) -> None:
    assert not shared.exists()
    assert tables(postgres, shared.url) == set()
    shared.append([NewEvent("a", Paused())])
    assert shared.exists()
    assert tables(postgres, shared.url) == set(ALL)


def begin(url: str, folder: str) -> None:
    log = Log(Path(folder) / "log.db", url=url)
    log.append([NewEvent("a", Paused())])
    log.close()


def test_many_first_starts_at_once_make_one_log(shared: Log, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    starts = [context.Process(target=begin, args=(shared.url, str(tmp_path / str(n)))) for n in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join(60)
    assert [start.exitcode for start in starts] == [0] * 4
    assert [r.position for r in shared.read()] == [1, 2, 3, 4]


def test_a_late_first_start_waits_for_an_append_and_does_not_lock_against_it(postgres: Any, shared: Log) -> None:
    pool, late = Pool(shared.url), ThreadPoolExecutor(1)
    with pool.connection() as ahead:
        ahead.execute("SELECT pg_advisory_lock(%s)", (MAKING,))
        appended = late.submit(shared.append, [NewEvent("a", Paused())])
        postgres.until_waiting("wait_event = 'advisory'")  # it has seen that there is no log
        make(pool)
        ahead.execute("BEGIN")
        ahead.execute("UPDATE head SET id = id")  # as an append begins
        ahead.execute("SELECT pg_advisory_unlock(%s)", (MAKING,))
        postgres.until_waiting("wait_event = 'transactionid'")
        ahead.execute("LOCK TABLE events IN ROW EXCLUSIVE MODE")  # as its INSERT does
        ahead.execute("COMMIT")
    assert appended.result(30) == [1]
    pool.close()
    late.shutdown()


def test_a_layout_of_a_later_program_is_refused_and_left_alone(postgres: Any, shared: Log, tmp_path: Path) -> None:
    shared.append([NewEvent("a", Paused())])
    with postgres.admin(shared.url) as db:
        db.execute("UPDATE layout SET version = 99")
    late = Log(tmp_path / "b", url=shared.url)
    for attempt in (late.head, lambda: late.append([NewEvent("a", Paused())])):
        with pytest.raises(IntegrityError, match="layout 99"):
            attempt()
    late.close()


def test_its_size_grows_with_what_is_stored(shared: Log) -> None:
    shared.append([NewEvent("a", Paused())])
    before = shared.hot_bytes()
    shared.append([NewEvent("a", Paused()) for _ in range(5_000)])
    assert shared.hot_bytes() > before > 0


def test_a_segment_of_another_home_is_fetched_once(postgres: Any, shared: Log) -> None:
    shared.append([NewEvent("a", Paused())])
    with postgres.admin(shared.url) as db:
        db.execute("INSERT INTO segment_files VALUES ('one.parquet', 'content')")
    assert shared.segment("one.parquet").read_bytes() == b"content"
    with postgres.admin(shared.url) as db:
        db.execute("DELETE FROM segment_files")
    assert shared.segment("one.parquet").read_bytes() == b"content"
    assert not shared.segment("two.parquet").exists()


def test_only_one_home_compacts_at_a_time(shared: Log, tmp_path: Path) -> None:
    shared.append([NewEvent("a", Paused())])
    other = Log(tmp_path / "b", url=shared.url)
    with shared.alone(), pytest.raises(TryAgain, match="another compaction"), other.alone():
        pass
    with other.alone():
        pass
    other.close()


def test_views_of_a_home_are_its_own(shared: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "b", url=shared.url, owner="bob")
    assert shared.of_home("dream/files") != other.of_home("dream/files")
    assert Log(tmp_path / "c").of_home("dream/files") == "dream/files"
