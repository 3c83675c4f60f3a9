"""What compaction and forgetting share: one of them at a time, and the traces that a killed one left."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kairos.errors import TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop

UNFINISHED = "forgetting"
"""The view whose one row says that an excision is committed but its traces are not cleaned yet."""


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TryAgain("another compaction or forgetting is running", "Let it finish.") from None
        yield
    finally:
        os.close(lock)


def collect_orphans(log: Log) -> None:
    """Removes files that no manifest row names: left by a run that was killed before its transaction."""
    named = {row[2] for row in log.reader().segments()}
    for path in log.segments.iterdir():
        if path.name != ".lock" and path.name not in named:
            path.unlink()


def finish_forgetting(log: Log) -> None:
    """Cleans what a committed excision left: old segments, free pages, the write-ahead log. The caller holds the lock.

    TryAgain if a reader keeps the write-ahead log from being emptied."""
    if log.view_row(UNFINISHED, b"") is None:
        return
    collect_orphans(log)
    if not log.writer().purge():
        raise TryAgain("a reader keeps the write-ahead log open; the payloads are excised", "Run the command again.")
    log.append([], writes=[Drop(UNFINISHED)])
