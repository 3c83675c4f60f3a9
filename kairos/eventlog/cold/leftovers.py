"""What compaction and forgetting share: mutual exclusion, and cleaning up after a run that was killed.

A committed excision keeps rows in the view `forgetting` until its traces are removed: `home`, with the byte strings to
search for, while files outside of the log may contain some; then `log`, while free pages, old segments and the
write-ahead log may contain some. The next process that opens the log for writing finishes the cleanup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import msgspec

from kairos.durable import locked, sync_folder
from kairos.errors import TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop, Put, Write
from kairos.privacy import make_private

UNFINISHED = "forgetting"
_HOME, _LOG = b"home", b"log"


@contextmanager
def only_one(log: Log) -> Iterator[None]:
    """Locks the segments directory, creating it if absent. TryAgain while another process holds it, or another home
    holds the shared log, or if the directory cannot be written."""
    try:
        if not log.segments.is_dir():
            make_private(log.segments)
            sync_folder(log.segments.parent)
        holding = ExitStack()
        holding.enter_context(locked(log.segments / ".lock", _busy))
    except OSError as error:
        raise TryAgain(f"{log.segments} cannot be written: {error.strerror}", "Free some space.") from error
    with holding, log.alone():
        yield


def _busy() -> TryAgain:
    return TryAgain("another compaction or forgetting is running", "Wait for it to end, then try again.")


def collect_orphans(log: Log) -> None:
    """Removes files that no manifest row names, left by a run that was killed before its transaction. The removal is
    synced, so it survives a power failure."""
    named = {segment.file for segment in log.reader().segments()}
    orphans = [p for p in log.segments.iterdir() if p.name != ".lock" and p.name not in named]
    for path in orphans:
        path.unlink()
    if orphans:
        sync_folder(log.segments)


def beginning(log: Log, needles: Sequence[bytes]) -> list[Write]:
    """The writes that record, in the transaction of the excision, that its traces are still to be cleaned: those in the
    log, and those outside of it if `log.clean` is given."""
    left: list[Write] = [Put(UNFINISHED, _LOG, b"")]
    return left if log.clean is None else [*left, Put(UNFINISHED, _home(log), msgspec.msgpack.encode(needles))]


def finish_forgetting(log: Log) -> None:
    """Cleans the traces of a committed excision, also outside of the log if `log.clean` is given. Requires `only_one`.

    TryAgain if a reader keeps the write-ahead log from being emptied."""
    left = _left(log)
    if _home(log) in left and log.clean is not None:
        log.clean(log, msgspec.msgpack.decode(left[_home(log)], type=list[bytes]))
        log.append([], writes=[Drop(UNFINISHED, _home(log)), Put(UNFINISHED, _LOG, b"")])
        left = {_LOG: b""}  # the names from the dropped row may now be in free pages
    if _LOG not in left:
        return
    collect_orphans(log)
    if not log.writer().purge():
        raise TryAgain(
            "the payloads are excised, but another process keeps old pages of the log open",
            "Run the command again when that process has ended.",
        )
    log.append([], writes=[Drop(UNFINISHED, _LOG)])


def finish_if_possible(log: Log) -> bool:
    """Finishes an interrupted forgetting unless another process is doing so; returns whether nothing is left to finish.
    On a shared log, also removes this home's copies of segments that another home rewrote."""
    if not _left(log) and not _has_strays(log):
        return True
    try:
        with only_one(log), log.errors():
            finish_forgetting(log)
            collect_orphans(log)
    except TryAgain:
        return False  # locked or disk full: the next process that opens the log tries again
    return not _left(log)


def _left(log: Log) -> dict[bytes, bytes]:
    """The unfinished rows that this home can clean. Another home cleans its own when it opens the shared log."""
    return {key: value for key, value in log.view(UNFINISHED).items() if key in (_LOG, _home(log))}


def _has_strays(log: Log) -> bool:
    """Whether this home still has copies of segments that the manifest of a shared log no longer names."""
    if not log.shared or not log.segments.is_dir():
        return False
    named = {segment.file for segment in log.reader().segments()}
    return any(path.suffix == ".parquet" and path.name not in named for path in log.segments.iterdir())


def _home(log: Log) -> bytes:
    return _HOME + (f"/{log.owner}".encode() if log.owner else b"")
