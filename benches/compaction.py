"""A million observations of one changed path each: what they take sealed, how fast they get there, what a writer
notices, and how fast common tools ask them; against the same facts in stock eventsourcing's SQLite.

Ours: 900 000 of them are sealed and retired by a child process while another appends. The peer's way to the same end
is one bulk delete and a VACUUM. `--events N` for fewer.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import msgspec
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from benches.append import change, disk
from benches.observations import observations
from benches.table import Row, show
from kairos._native import chain_drafts
from kairos.eventlog import codec
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Track
from kairos.eventlog.views.log_views import log_views
from kairos.eventlog.views.projection import keep_views

EVENTS = int(sys.argv[sys.argv.index("--events") + 1]) if "--events" in sys.argv else 1_000_000
SEALED = EVENTS * 9 // 10
REPEATS = 5
QUERY = (
    (Path(__file__).parents[1] / "docs/how-to/log.md").read_text(encoding="utf-8").split("```sql\n")[1].split("```")[0]
)
COMPACT = """
import json, sys, time
from pathlib import Path
from kairos.clock import now_us
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.log import Log
log, begun = Log(Path(sys.argv[1])), now_us()
done = compact(log)
seconds = (now_us() - begun) / 1e6
sealing = (max(r.at for r in log.read(topics={"SegmentSealed"})) - begun) / 1e6
status = Path("/proc/self/status").read_text()
peak = int(status.partition("VmHWM:")[2].split()[0])  # getrusage would tell what the parent had when it forked
print(json.dumps({"seconds": seconds, "sealing": sealing, "mib": peak / 1024, "cold": done.cold_bytes}))
"""


def ours(folder: Path) -> Log:
    """Our log with every observation hot, each recorded at its own time."""
    log = Log(folder / "kairos" / "log.db")
    link, count = bytes(32), 0

    def ready() -> Iterator[tuple[Any, ...]]:
        nonlocal link, count
        for at, origin, event in observations(EVENTS):
            draft = codec.draft(event.repo, event, None, origin)  # type: ignore[arg-type]
            (row,) = chain_drafts(link, count + 1, at, {event.repo: count}, {}, [draft])
            link, count = row[10], count + 1
            yield (*row, None)

    rows = list(ready())
    log.writer().load(iter(rows), count, link, {})
    del rows
    log.append([], writes=[Track("bench", SEALED)])
    keep_views(log, log_views())  # as a daemon does all the time
    return log


def stock(path: Path) -> SQLiteApplicationRecorder:
    """The same facts as the stock recorder stores them, in WAL as it opens its files."""
    recorder = SQLiteApplicationRecorder(SQLiteDatastore(str(path)))
    recorder.create_table()
    aggregate, batch = uuid4(), []
    for version, (at, origin, event) in enumerate(observations(EVENTS), 1):
        state = msgspec.json.encode({"timestamp": at, "origin": origin, **msgspec.to_builtins(event)})
        batch.append(StoredEvent(aggregate, version, "kairos.domain.events:FilesChanged", state))
        if len(batch) == 10_000:
            recorder.insert_events(batch)
            batch = []
    if batch:
        recorder.insert_events(batch)
    return recorder


class Beside:
    """Appends every few milliseconds while something else runs, and watches the space that a folder takes."""

    def __init__(self, append: Callable[[], object], folder: Path) -> None:
        self._append, self._folder = append, folder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.longest = 0.0
        self.peak = self.before = size(folder)

    def _run(self) -> None:
        looked = 0.0
        while not self._stop.wait(0.005):
            begun = time.perf_counter()
            self._append()
            self.longest = max(self.longest, time.perf_counter() - begun)
            if begun - looked > 0.05:  # looking costs more than appending
                looked = begun
                self.peak = max(self.peak, size(self._folder))

    def __enter__(self) -> Beside:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # renamed or removed since it was listed
    return total


def delete_and_vacuum(folder: Path) -> tuple[float, Beside]:
    path = folder / "stock.db"
    recorder = SQLiteApplicationRecorder(SQLiteDatastore(str(path), pool_timeout=60, lock_timeout=60))
    aggregate, version = uuid4(), 0

    def append() -> None:
        nonlocal version
        version += 1
        recorder.insert_events([StoredEvent(aggregate, version, "x", codec.encode(change(version))[2])])

    db = sqlite3.connect(path, isolation_level=None, timeout=60)
    begun = time.perf_counter()
    with Beside(append, folder) as beside:
        db.execute("DELETE FROM stored_events WHERE rowid <= ?", (SEALED,))
        db.execute("VACUUM")
    db.close()
    recorder.datastore.close()
    return time.perf_counter() - begun, beside


def seal_and_retire(folder: Path) -> tuple[dict[str, float], Beside]:
    log = Log(folder / "kairos" / "log.db")
    number = iter(range(10**9))
    with Beside(lambda: log.append([NewEvent("other", change(next(number)))]), folder / "kairos") as beside:
        done = compaction(folder)
    log.close()
    return done, beside


def compaction(folder: Path) -> dict[str, float]:
    """Seals and retires in a process of its own, as a daemon has it done."""
    command = [sys.executable, "-P", "-c", COMPACT, str(folder / "kairos" / "log.db")]
    told: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return told


def sealing_alone(folder: Path) -> float:
    """Events sealed and proven in a second while nobody else is at the log. Median of 3 runs, each on a copy."""
    paces = []
    for _ in range(3):
        copy = folder.with_name("copy")
        shutil.copytree(folder, copy)
        paces.append(SEALED / compaction(copy)["sealing"])
        shutil.rmtree(copy)
    return statistics.median(paces)


def asked(segments: Path, database: Path) -> tuple[float, float]:
    """Seconds for the 20 paths that changed most: json_extract over SQLite, DuckDB over segments. Medians, in turns."""
    db = sqlite3.connect(database)
    slow, fast = [], []
    query = QUERY.replace("segments/*.parquet", str(segments / "*.parquet"))
    duck = duckdb.connect()
    for _ in range(REPEATS):
        begun = time.perf_counter()
        one = db.execute(
            "SELECT json_extract(state, '$.changes[0].path') AS path, count(*) AS times FROM stored_events"
            " WHERE rowid <= ? GROUP BY 1 ORDER BY times DESC, 1 LIMIT 20", (SEALED,)
        ).fetchall()  # fmt: skip
        slow.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        other = duck.sql(query).fetchall()
        fast.append(time.perf_counter() - begun)
        assert one == other
    db.close()
    return statistics.median(slow), statistics.median(fast)


def rows() -> list[Row]:
    """(what, unit, peer, ours, peer ÷ ours)."""
    place = disk()
    try:
        mine, peer = place / "ours", place / "stock"
        peer.mkdir()
        ours(mine).close()
        stock(peer / "stock.db").datastore.close()
        hot = size(peer)
        quiet = sealing_alone(mine)
        done, beside = seal_and_retire(mine)
        slow, fast = asked(mine / "kairos" / "segments", peer / "stock.db")
        seconds, other = delete_and_vacuum(peer)
        size_of = hot / EVENTS, done["cold"] / SEALED
        disk_of = other.peak / other.before, beside.peak / beside.before
        stall = other.longest * 1e3, beside.longest * 1e3
        pace, sealing = (SEALED / seconds, SEALED / done["seconds"]), SEALED / done["sealing"]
        return [
            ("one sealed observation, against stock JSON", "bytes", *size_of, size_of[0] / size_of[1]),
            ("top 20 of the sealed: json_extract, DuckDB", "ms", slow * 1e3, fast * 1e3, slow / fast),
            ("longest stall of a writer meanwhile", "ms", *stall, stall[0] / stall[1]),
            ("peak disk ÷ disk before", "", *disk_of, disk_of[0] / disk_of[1]),
            ("delete + VACUUM, all of a compaction", "events/s", *pace, pace[1] / pace[0]),
            ("sealing and proving, of 300 000 wished", "events/s", 3e5, quiet, quiet / 3e5),
            ("the same beside a writer", "events/s", 3e5, sealing, sealing / 3e5),
            ("memory of the compaction, of 150 allowed", "MiB", 150.0, done["mib"], 150 / done["mib"]),
        ]
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    show(rows())
