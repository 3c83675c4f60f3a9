"""Readers never notice that events move: sealed, retired, excised, folded, vacuumed, with several processes writing."""

from __future__ import annotations

import multiprocessing
import multiprocessing.synchronize
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from kairos.domain.events import Change, FilesChanged, Paused, Resumed
from kairos.errors import Conflict, TryAgain
from kairos.eventlog.cold import compaction
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.folding import fold
from kairos.eventlog.cold.forgetting import forget_positions
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Track
from kairos.eventlog.views.log_views import log_views
from kairos.eventlog.views.replay import replay_verify

WRITERS, BATCHES = 2, 150


def told(name: str) -> FilesChanged:
    changes = [Change(path=f"{name}-{i}.py", kind="created", size=i, mode=0o644, mtime_ns=i) for i in range(2)]
    return FilesChanged(repo="r", burst=name, part=1, parts=1, changes=changes)


def _write(path: Path, url: str, name: str) -> None:
    log = Log(path, url=url)
    for i in range(BATCHES):
        log.append([NewEvent(name, told(f"{name}-{i}")), NewEvent(name, Paused(until=i)), NewEvent("both", Resumed())])
    log.close()


def _cut_over(path: Path, url: str, over: multiprocessing.synchronize.Event) -> None:
    """Seals, retires, excises and collects orphans again and again, in small segments."""
    compaction.ROWS_A_SEGMENT, compaction.RETIRE_CHUNK, compaction.WORTHWHILE = 40, 15, 1
    log = Log(path, url=url)
    while not over.is_set():
        compact(log)
        head = log.head()
        victims = [r.position for r in log.read(head // 2, limit=40) if r.topic == "Paused"][:1]
        try:
            forget_positions(log, victims, "test", "user")
        except (Conflict, TryAgain):
            pass  # a follower is reading: the next round finishes it
        log.append([], writes=[Track("cut-overs", log.tracking("cut-overs") + 1), Track("anchor", log.head())])
    log.close()


@pytest.mark.slow
def test_a_follower_sees_each_position_once_in_order_while_all_moves_under_it(any_log: Log) -> None:
    """The follower may not see an event that was excised before it came by: those are named by `Erased`."""
    context = multiprocessing.get_context("spawn")
    over = context.Event()
    writers = [context.Process(target=_write, args=(any_log.path, any_log.url, f"w{i}")) for i in range(WRITERS)]
    mover = context.Process(target=_cut_over, args=(any_log.path, any_log.url, over))
    any_log.append([NewEvent("start", Paused())])
    reading = Log(any_log.path, url=any_log.url)
    listener = reading.listener()
    seen: list[int] = [0]

    def tail() -> bool:
        found = [r.position for r in reading.read(seen[-1], limit=1_000)]
        seen.extend(found)
        return bool(found)

    for process in (*writers, mover):
        process.start()
    deadline = time.monotonic() + 90
    try:
        while any(w.is_alive() for w in writers) or any_log.tracking("cut-overs") < 8:
            assert time.monotonic() < deadline and mover.exitcode in (None, 0)
            if not tail():
                listener.wait(0.05)
    finally:
        over.set()
        for process in (*writers, mover):
            process.join(30)
    assert [p.exitcode for p in (*writers, mover)] == [0] * (WRITERS + 1)
    while tail():
        pass
    listener.close()
    reading.close()
    excised = {p for r in any_log.read(topics={"Erased"}) for p in r.event.positions}  # type: ignore[attr-defined]
    assert excised, "the mover moved nothing"
    assert seen == sorted(set(seen)), "a position came twice, or out of order"
    assert set(range(1, any_log.head() + 1)) - set(seen) <= excised, "a position never came"
    assert len(list(any_log.stream("both"))) == WRITERS * BATCHES
    assert any_log.reader().segments() and verify_log(any_log).problems == []
    assert replay_verify(any_log, log_views()).identical


def filled(log: Log, count: int = 300) -> None:
    for i in range(count // 3):
        log.append([NewEvent(f"s{i % 4}", Paused(until=i)), NewEvent("r", told(f"b{i}")), NewEvent("both", Resumed())])


def test_a_reader_in_the_middle_goes_on_while_all_is_sealed_retired_and_excised(
    any_log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "ROWS_A_SEGMENT", 70)
    monkeypatch.setattr("kairos.eventlog.reader._CHUNK", 7)
    filled(any_log)
    before = list(any_log.read())
    reader = Log(any_log.path, url=any_log.url)
    reading = reader.read(upto=300)
    got = [next(reading) for _ in range(20)]
    compact(any_log)
    got += [next(reading) for _ in range(20)]
    forget_positions(any_log, [5, 295], "slip", "user")
    got += [next(reading) for _ in range(50)]
    fold(any_log, 2**60)
    got += list(reading)
    reader.close()
    kept = {r.position for r in any_log.read()}
    assert [r.position for r in got] == sorted({r.position for r in got})
    assert all(r == before[r.position - 1] for r in got)
    assert kept - {r.position for r in got} <= set(range(301, any_log.head() + 1)), (
        "a reader missed what is still there"
    )


CHILD = """
import sys
from pathlib import Path
from kairos.eventlog import reader
from kairos.eventlog.log import Log
reader._CHUNK = 10
log = Log(Path(sys.argv[1]))
reading = log.read()
for _ in range(int(sys.argv[2])):
    sys.stdout.write(f"{next(reading).position}\\n")
sys.stdout.flush()
sys.stdin.readline()
for recorded in reading:
    sys.stdout.write(f"{recorded.position}\\n")
"""


@pytest.mark.parametrize("read_before", [1, 95, 299])
@pytest.mark.slow
def test_a_reader_in_another_process_survives_retiring_and_a_vacuum(
    log: Log, read_before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "ROWS_A_SEGMENT", 120)
    filled(log)
    with subprocess.Popen(
        [sys.executable, "-P", "-c", CHILD, log.path, str(read_before)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None and child.stdin is not None
        got = [int(child.stdout.readline()) for _ in range(read_before)]
        assert compact(log).retired == 300
        log.close()
        with closing(sqlite3.connect(log.path, isolation_level=None)) as db:
            assert db.execute("SELECT min(position) FROM events").fetchone()[0] > 300
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        rest, _ = child.communicate("go on\n")
        assert child.returncode == 0
    assert got + [int(line) for line in rest.split()] == list(range(1, log.head() + 1))


def test_positions_go_on_after_everything_was_retired_vacuumed_and_opened_anew(log: Log) -> None:
    filled(log, 30)
    compact(log)
    compact(log)
    head = log.head()
    log.close()
    with closing(sqlite3.connect(log.path, isolation_level=None)) as db:
        db.execute("DELETE FROM events")
        db.execute("VACUUM")
    assert log.append([NewEvent("s0", Paused())]) == [head + 1]
    log.close()
    assert log.append([NewEvent("s0", Paused())]) == [head + 2]
    assert log.at(head + 2).version == 3 + 2
