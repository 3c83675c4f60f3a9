"""Durable appends on the real disk: stock eventsourcing, its bare recorder, raw SQLite and a plain file against our
log.

All store the same facts (`FilesChanged` with one change) and return only when the disk has them: WAL with
synchronous=FULL, or fdatasync. Ours also cuts secrets, hashes and chains each event and rings the bell. Measured in
turns; the file's own fdatasync is printed beside, since everything else waits for it. `--memory` measures in a
folder that lives in memory, where no disk hides what the programs themselves cost.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from kairos.domain.events import Change, FilesChanged
from kairos.eventlog import codec
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent

REPEATS = 7
APPENDS = {1: 60, 100: 24, 1000: 12}
"""How many appends of each batch size make one measurement."""
WARM = 60
"""Appends of a thousand events before the first measurement: a log that has run for a while, whose write-ahead file
has its size."""

Append = Callable[[list[FilesChanged]], None]


def disk() -> Path:
    """A new folder on the disk of this checkout's build directory (a temporary folder may live in memory)."""
    if "--memory" in sys.argv:
        return Path(tempfile.mkdtemp(prefix="bench-", dir="/dev/shm"))
    build = Path(__file__).resolve().parents[1] / "target"
    return Path(tempfile.mkdtemp(prefix="bench-", dir=build if build.is_dir() else None))


def change(number: int) -> FilesChanged:
    """What one saved file looks like in the log."""
    path = f"src/shop/orders/module_{number % 997:03}.py"
    entry = Change(
        path=path, kind="modified", size=4_000 + number, mode=0o644, mtime_ns=1_763_800_000_000_000_000 + number
    )
    return FilesChanged(repo="repo-0123456789ab", burst=f"{number:016x}", part=1, parts=1, changes=[entry])


class Watched(Aggregate):
    """The stock aggregate: the same facts in eventsourcing's own style."""

    @event("FilesChanged")
    def files_changed(self, repo: str, burst: str, part: int, parts: int, changes: list[dict[str, Any]]) -> None:
        self.last = burst


def application(database: Path) -> Application[Any]:
    return Application(env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(database)})


def stock(folder: Path) -> Append:
    """As its users run it: aggregate events through the application's JSON transcoder and recorder."""
    app = application(folder / "stock.db")
    watched = Watched()
    app.save(watched)

    def append(events: list[FilesChanged]) -> None:
        for found in events:
            watched.files_changed(**msgspec.to_builtins(found))
        app.save(watched)

    return append


def bare(folder: Path) -> Append:
    """Its recorder alone, given ready bytes."""
    recorder = SQLiteApplicationRecorder(SQLiteDatastore(str(folder / "bare.db")))
    recorder.create_table()
    aggregate, version = uuid4(), 0

    def append(events: list[FilesChanged]) -> None:
        nonlocal version
        stored = []
        for found in events:
            version += 1
            stored.append(StoredEvent(aggregate, version, "kairos:FilesChanged", codec.encode(found)[2]))
        recorder.insert_events(stored)

    return append


def raw(folder: Path) -> Append:
    db = sqlite3.connect(folder / "raw.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE events (position INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT, state BLOB)")

    def append(events: list[FilesChanged]) -> None:
        rows = [("FilesChanged", codec.encode(event)[2]) for event in events]
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO events (topic, state) VALUES (?,?)", rows)
        db.execute("COMMIT")

    return append


def plain(folder: Path) -> Append:
    file = (folder / "plain.jsonl").open("ab", buffering=0)

    def append(events: list[FilesChanged]) -> None:
        file.write(b"".join(codec.encode(event)[2] + b"\n" for event in events))
        os.fdatasync(file.fileno())

    return append


def ours(folder: Path) -> Append:
    log = Log(folder / "kairos" / "log.db")

    def append(events: list[FilesChanged]) -> None:
        log.append([NewEvent(event.repo, event) for event in events])

    return append


PEERS: dict[str, Callable[[Path], Append]] = {
    "stock eventsourcing": stock,
    "its bare recorder": bare,
    "raw SQLite": raw,
    "file + fdatasync": plain,
}


def rows() -> list[tuple[str, str, float, float, float]]:
    """(what, unit, peer, ours, ours ÷ peer) in events a second, medians of `REPEATS`; the last row is fdatasync alone
    (peer: p50 in ms, ours: p50 of our append of one event)."""
    place = disk()
    try:
        systems = {name: make(place) for name, make in {**PEERS, "kairos": ours}.items()}
        for append in systems.values():
            for turn in range(WARM):
                append([change(turn * 1_000 + i) for i in range(1_000)])
        found = []
        for batch, appends in APPENDS.items():
            rates: dict[str, list[float]] = {name: [] for name in systems}
            for turn in range(REPEATS + 1):
                for name, append in systems.items():
                    batches = [[change(n * batch + i) for i in range(batch)] for n in range(appends)]
                    begun = time.perf_counter()
                    for events in batches:
                        append(events)
                    if turn:  # the first turn warms up
                        rates[name].append(batch * appends / (time.perf_counter() - begun))
            mine = statistics.median(rates["kairos"])
            for name in PEERS:
                peer = statistics.median(rates[name])
                found.append((f"append, batch {batch}, against {name}", "events/s", peer, mine, mine / peer))
        sync, one = latency(systems["file + fdatasync"]), latency(systems["kairos"])
        found.append(("one event: fdatasync p50 and our p50", "ms", sync, one, sync / one))
        return found
    finally:
        shutil.rmtree(place)


def latency(append: Append) -> float:
    """The median of 60 durable appends of one event, in ms."""
    times = []
    for number in range(60):
        event = [change(number)]
        begun = time.perf_counter()
        append(event)
        times.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(times)


if __name__ == "__main__":
    from benches.table import show

    show(rows())
