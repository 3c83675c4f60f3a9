"""A process has few connections: threads share them, wait for them a bounded time, and never for each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kairos.domain.events import Paused
from kairos.errors import Conflict, TryAgain
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.log import Log
from kairos.eventlog.postgres import pool as pools
from kairos.eventlog.postgres.pool import Pool, close_pool, open_pool
from kairos.eventlog.record import NewEvent

PID = "SELECT pg_backend_pid()"


@pytest.fixture
def pool(url: str) -> Iterator[Pool]:
    made = Pool(url, 2)
    yield made
    made.close()


def open_now(postgres: Any) -> int:
    with postgres.admin() as db:
        [(count,)] = db.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kairos'").fetchall()
        return int(count)


def test_what_a_thread_asks_for_within_is_the_connection_that_it_has(pool: Pool) -> None:
    with pool.connection() as outer, pool.connection() as inner:
        assert inner is outer
        assert pool.run(PID) == outer.execute(PID).fetchall()


def test_threads_share_so_many_connections_and_each_gets_one(pool: Pool, postgres: Any) -> None:
    def some(_: int) -> Any:
        return pool.run("SELECT pg_backend_pid() FROM pg_sleep(0.01)")[0]

    with ThreadPoolExecutor(12) as threads:
        pids = set(threads.map(some, range(60)))
    assert len(pids) == 2


def test_who_gets_none_in_time_is_told_to_try_again(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "WAIT_S", 0.05)
    taken, done = threading.Barrier(3), threading.Event()

    def keep() -> None:
        with pool.connection():
            taken.wait()
            done.wait()

    threads = [threading.Thread(target=keep) for _ in range(2)]
    for thread in threads:
        thread.start()
    taken.wait()
    with pytest.raises(TryAgain, match="all 2 connections") as caught:
        pool.run("SELECT 1")
    assert caught.value.hint
    done.set()
    for thread in threads:
        thread.join()
    assert pool.run("SELECT 1") == [(1,)]


def test_a_transaction_that_was_left_open_is_rolled_back_before_the_next_one_gets_the_connection(pool: Pool) -> None:
    with pytest.raises(Conflict), pool.connection() as connection:
        first = connection.execute(PID).fetchall()
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE left_over (id INTEGER)")
        raise Conflict("")
    assert pool.run(PID) == first
    assert pool.run("SELECT to_regclass('left_over')") == [(None,)]


def test_a_connection_that_is_in_the_middle_of_a_statement_is_not_given_to_anybody(pool: Pool) -> None:
    with pool.connection() as connection:
        first = connection.execute(PID).fetchall()
        connection.pgconn.send_query(b"SELECT pg_sleep(60)")
    assert pool.run(PID) != first


@pytest.mark.parametrize("use", ["run", "begin"])
def test_after_one_connection_was_lost_none_from_before_is_used(pool: Pool, postgres: Any, use: str) -> None:
    def pid() -> Any:
        if use == "run":
            return pool.run(PID)
        with pool.connection("BEGIN") as connection:
            return connection.execute(PID).fetchall()

    with ThreadPoolExecutor(2) as threads:
        before = set(threads.map(lambda _: pool.run("SELECT pg_backend_pid() FROM pg_sleep(0.1)")[0], range(2)))
    assert len(before) == 2
    assert postgres.cut() >= 2
    assert not before & {*pid(), *pid()}


def test_a_restart_of_the_server_is_waited_for(pool: Pool, postgres: Any) -> None:
    pool.run(PID)
    postgres.stop()
    back = threading.Timer(0.5, postgres.start)
    back.start()
    assert pool.run("SELECT 1") == [(1,)]
    back.join()


def test_a_server_that_stays_away_takes_nothing_from_the_pool(pool: Pool, postgres: Any) -> None:
    pool.run(PID)
    postgres.stop()
    try:
        for _ in range(5):
            with pytest.raises(psycopg.OperationalError):
                pool.run("SELECT 1")
    finally:
        postgres.start()
    with ThreadPoolExecutor(2) as threads:
        assert len(set(threads.map(lambda _: pool.run("SELECT pg_backend_pid() FROM pg_sleep(0.1)")[0], range(2)))) == 2


def test_the_last_user_closes_the_connections(url: str, postgres: Any) -> None:
    before = open_now(postgres)
    one, two = open_pool(url), open_pool(url)
    assert one is two
    one.run(PID)
    close_pool(one)
    assert open_now(postgres) == before + 1
    close_pool(two)
    assert open_now(postgres) == before
    assert open_pool(url) is not one


def test_many_logs_of_a_process_that_append_read_and_follow_at_once_have_few_connections(
    url: str, postgres: Any, tmp_path: Path
) -> None:
    before, many, each = open_now(postgres), 30, 10
    most = 0
    done = threading.Event()

    def work(n: int) -> None:
        log = Log(tmp_path / str(n), url=url)
        listener = log.listener()
        for _ in range(each):
            log.append([NewEvent(f"stream {n}", Paused())])
            assert len(list(log.read())) > 0
            listener.wait(0.01)
        assert log.version(f"stream {n}") == each
        log.close()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.005):
            most = max(most, open_now(postgres))

    watching = threading.Thread(target=watch)
    watching.start()
    with ThreadPoolExecutor(many) as threads:
        for one in [threads.submit(work, n) for n in range(many)]:
            one.result(60)
    done.set()
    watching.join()
    assert 1 < most - before <= pools.SIZE + 1
    assert open_now(postgres) == before
    log = Log(tmp_path / "all", url=url)
    assert [r.position for r in log.read()] == list(range(1, many * each + 1))
    log.close()


def test_appends_whose_causes_are_cold_need_no_second_connection(url: str, tmp_path: Path) -> None:
    logs = [Log(tmp_path / str(n), url=url) for n in range(pools.SIZE * 2)]
    [cause] = logs[0].append([NewEvent("a", Paused())])
    compact(logs[0])
    start = threading.Barrier(len(logs))

    def append(log: Log) -> list[int]:
        start.wait()
        return log.append([NewEvent("b", Paused(), cause) for _ in range(20)])

    with ExitStack() as closing, ThreadPoolExecutor(len(logs)) as threads:
        for log in logs:
            closing.callback(log.close)
        positions = sorted(p for found in threads.map(append, logs) for p in found)
        assert {r.correlation for r in logs[0].stream("b")} == {cause}
    assert len(positions) == len(set(positions)) == 20 * len(logs)
