"""Replaying stored events as typed values: a stock eventsourcing application against our log, hot and cold.

Both hold the same facts. The stock side decodes its JSON into domain events through its mapper, as its own followers
do; ours decodes into the registered structs, from SQLite and then, after compaction, from a sealed segment.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from eventsourcing.application import Application

from benches.append import Watched, application, change, disk
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent

EVENTS = 20_000
BATCH = 1_000
REPEATS = 5


def rows() -> list[tuple[str, str, float, float, float]]:
    """(what, unit, peer, ours, ours ÷ peer) in events a second, medians of `REPEATS` in turns."""
    place = disk()
    try:
        peer, log = stock(place), ours(place)
        found = [compare("hot", peer, log)]
        compact(log)
        found.append(compare("cold, from a segment", peer, log))
        log.close()
        peer.close()
        return found
    finally:
        shutil.rmtree(place)


def stock(place: Path) -> Application[Any]:
    stored = application(place / "stock.db")
    for first in range(0, EVENTS, BATCH):
        watched = Watched()
        for number in range(first, first + BATCH - 1):  # making the aggregate is the thousandth event
            watched.files_changed(**msgspec.to_builtins(change(number)))
        stored.save(watched)
    return stored


def ours(place: Path) -> Log:
    log = Log(place / "kairos" / "log.db")
    for first in range(0, EVENTS, BATCH):
        log.append([NewEvent(e.repo, e) for e in map(change, range(first, first + BATCH))])
    return log


def compare(what: str, stored: Application[Any], log: Log) -> tuple[str, str, float, float, float]:
    peer, mine = [], []
    for _ in range(REPEATS):
        peer.append(rate(lambda: replay_stock(stored)))
        mine.append(rate(lambda: sum(1 for _ in log.read(upto=EVENTS))))
    median_peer, median_ours = statistics.median(peer), statistics.median(mine)
    return f"replay to typed events, {what}", "events/s", median_peer, median_ours, median_ours / median_peer


def replay_stock(stored: Application[Any]) -> int:
    count, position = 0, 1
    while notifications := stored.recorder.select_notifications(position, 2_000):
        for notification in notifications:
            stored.mapper.to_domain_event(notification)
        count += len(notifications)
        position = notifications[-1].id + 1
    return count


def rate(run: Callable[[], int]) -> float:
    begun = time.perf_counter()
    count = run()
    assert count == EVENTS, count
    return count / (time.perf_counter() - begun)


if __name__ == "__main__":
    from benches.table import show

    show(rows())
