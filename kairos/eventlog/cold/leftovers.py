"""What compaction and forgetting share: one of them at a time, and the traces that a killed one left.

A committed excision leaves rows in the view `forgetting` until its traces are gone. `home`, with what betrays the
forgotten, while there may be some outside of the log; then `log`, while free pages, old segments and the write-ahead
log may hold some. Whoever opens the log to write finishes it.
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
    """Holds the folder of segments, made if absent. TryAgain while another process holds it, or another home the
    shared log."""
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
    return TryAgain("another compaction or forgetting is running", "Let it finish.")


def collect_orphans(log: Log) -> None:
    """Removes files that no manifest row names: left by a run that was killed before its transaction. They stay
    removed when the power fails."""
    named = {segment.file for segment in log.reader().segments()}
    orphans = [p for p in log.segments.iterdir() if p.name != ".lock" and p.name not in named]
    for path in orphans:
        path.unlink()
    if orphans:
        sync_folder(log.segments)


def beginning(log: Log, needles: Sequence[bytes]) -> list[Write]:
    """The writes that say, with the excision itself, that its traces are not cleaned yet: those in the log, and those
    outside of it where there is somebody to clean them."""
    left: list[Write] = [Put(UNFINISHED, _LOG, b"")]
    return left if log.clean is None else [*left, Put(UNFINISHED, _home(log), msgspec.msgpack.encode(needles))]


def finish_forgetting(log: Log) -> None:
    """Cleans what a committed excision left, outside of the log where `log.clean` is given. The caller holds the lock.

    TryAgain if a reader keeps the write-ahead log from being emptied."""
    left = _left(log)
    if _home(log) in left and log.clean is not None:
        log.clean(log, msgspec.msgpack.decode(left[_home(log)], type=list[bytes]))
        log.append([], writes=[Drop(UNFINISHED, _home(log)), Put(UNFINISHED, _LOG, b"")])
        left = {_LOG: b""}  # the names that stood in the row are in free pages now
    if _LOG not in left:
        return
    collect_orphans(log)
    if not log.writer().purge():
        raise TryAgain("a reader keeps the write-ahead log open; the payloads are excised", "Run the command again.")
    log.append([], writes=[Drop(UNFINISHED, _LOG)])


def finish_if_possible(log: Log) -> bool:
    """Finishes a forgetting that was cut short, unless somebody is at it; whether nothing is left to finish. On a
    shared log also this home's copies of segments go that another home wrote anew."""
    if not _left(log) and not _has_strays(log):
        return True
    try:
        with only_one(log), log.errors():
            finish_forgetting(log)
            collect_orphans(log)
    except TryAgain:
        return False  # busy or without room: whoever comes next tries again
    return not _left(log)


def _left(log: Log) -> dict[bytes, bytes]:
    """What this home can finish: another one cleans itself, when it opens the shared log."""
    return {key: value for key, value in log.view(UNFINISHED).items() if key in (_LOG, _home(log))}


def _has_strays(log: Log) -> bool:
    """Whether this home keeps copies of segments that the manifest of a shared log does not name any more."""
    if not log.shared or not log.segments.is_dir():
        return False
    named = {segment.file for segment in log.reader().segments()}
    return any(path.suffix == ".parquet" and path.name not in named for path in log.segments.iterdir())


def _home(log: Log) -> bytes:
    return _HOME + (f"/{log.owner}".encode() if log.owner else b"")
