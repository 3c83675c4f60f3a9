"""Compaction: seal, verify, retire.

Old events are written to a segment file (temporary name, synced), read back and compared, and the file is renamed.
Only then does one transaction name the file in the manifest and move `sealed_upto`. Readers skip hot rows up to that
position, so the later, paced retirement removes only rows that are no longer read. If a run is killed at any point, the
next run cleans up and continues.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import msgspec

from kairos.domain.events import SegmentRetired, SegmentSealed
from kairos.eventlog.cold.leftovers import collect_orphans, finish_forgetting, only_one
from kairos.eventlog.cold.segment import NewSegment, Proven, prove_segment, publish
from kairos.eventlog.log import Log
from kairos.eventlog.record import UPSTREAM, NewEvent, Retire, Seal
from kairos.eventlog.views.log_views import log_views
from kairos.eventlog.views.projection import Projection, keep_views
from kairos.eventlog.views.repositories import RepositoriesView

ROWS_A_SEGMENT = 50_000
WORTHWHILE = 1_000
"""Minimum number of old rows to seal when `before` is given; fewer stay hot."""
RETIRE_CHUNK = 2_000
TRIGGERS = ("FilesChanged", "GitMoved", "CommitRecorded")


class SealedSegment(msgspec.Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """A segment that this run sealed."""

    first: int
    last: int
    file: str
    bytes: int


class Compacted(msgspec.Struct, frozen=True):
    """What one run did: the segments sealed, the number of rows retired, and the sizes after it in bytes."""

    sealed: list[SealedSegment]
    retired: int
    hot_bytes: int
    cold_bytes: int


def compact(
    log: Log,
    *,
    before: int | None = None,
    ended: Collection[str] = (),
    views: Sequence[Projection[Any]] | None = None,
) -> Compacted:
    """Seals and retires events older than `before` (us), or with None everything behind the slowest follower.

    `views` (default: those of the event log layer) are first brought to the head, so that none of them has to read
    sealed events again. `ended`: tracking names of followers that a person switched off; they do not limit sealing.
    TryAgain if another compaction runs or the disk is full; nothing is lost."""
    with only_one(log), log.errors():
        finish_forgetting(log)
        collect_orphans(log)
        views = log_views() if views is None else views
        keep_views(log, views)
        sealed: list[SealedSegment] = []
        limit = _sealable(log, before, ended, views)
        if limit - log.sealed_upto() >= (WORTHWHILE if before is not None else 1):
            sealed = _seal(log, limit)
        retired = _retire(log)
        cold = sum(segment.size for segment in log.reader().segments())
    hot = log.hot_bytes()
    return Compacted(sealed, retired, hot, cold)


def _sealable(log: Log, before: int | None, ended: Collection[str], views: Sequence[Projection[Any]]) -> int:
    """The last position that may be sealed: old enough, and behind every follower."""
    limit = log.head()
    current = {view.key for view in views}
    # The position at which the reactor will start in a repository that it has not processed yet.
    begins = {f"reactor/{r.id}": r.ready_at for r in RepositoriesView().load(log)[0].watched()}
    for name, position in (begins | log.trackings()).items():
        if name.startswith("reactor/"):
            position = log.reader().next_position(name.removeprefix("reactor/"), TRIGGERS, position, limit)
        if name in current or not (name.startswith(("snapshot/", UPSTREAM)) or name in ended):
            limit = min(limit, position)
    return limit if before is None else log.reader().last_before(before, limit)


class _Filled(NamedTuple):
    """A segment file under its temporary name, with all rows added but not yet completed."""

    first: int
    last: int
    segment: NewSegment
    rows: int
    before: bytes
    after: bytes

    def prove(self) -> tuple[int, Proven]:
        """Completes the file and reads it back; returns (size in bytes, digest and runs)."""
        size = self.segment.finish()
        return size, prove_segment(self.segment.path, self.rows, self.before, self.after)


def _seal(log: Log, limit: int) -> list[SealedSegment]:
    """Seals all rows up to a position. While one segment is completed and read back, the next one is filled. Segments
    are added to the manifest in order, each only after it was verified."""
    sealed: list[SealedSegment] = []
    waiting: tuple[_Filled, Future[tuple[int, Proven]]] | None = None
    first = log.sealed_upto() + 1
    before = log.reader().link_at(first - 1)
    try:
        with ThreadPoolExecutor(1, "prover") as prover:
            while True:
                filled = _fill(log, first, limit, before)
                if waiting is not None:
                    sealed.append(_manifest(log, waiting[0], *waiting[1].result()))
                if filled is None:
                    return sealed
                first, before = filled.last + 1, filled.after
                waiting = filled, prover.submit(filled.prove)
    except BaseException:
        collect_orphans(log)
        raise


def _fill(log: Log, first: int, limit: int, before: bytes) -> _Filled | None:
    """Writes the next rows to a new segment file as they are read; None if there are none."""
    ending = log.reader().last_hot(first, min(limit, first + ROWS_A_SEGMENT - 1), limit)
    if ending is None:
        return None
    last, after = ending
    segment = NewSegment(log.segments / f"{first:012d}-{last:012d}.parquet.tmp")
    rows = segment.fill(lambda writer: log.reader().feed(writer, first, last))
    return _Filled(first, last, segment, rows, before, after)


def _manifest(log: Log, filled: _Filled, size: int, proven: Proven) -> SealedSegment:
    """Renames a verified file to its final name, then adds it to the manifest."""
    first, last, segment, _, before, after = filled
    path = segment.path
    publish(path, path.with_suffix(""))
    event = SegmentSealed(first=first, last=last, file=path.stem, bytes=size, root=after.hex())
    seal = Seal(first, last, path.stem, size, proven.digest, before, after)
    log.append([NewEvent("segments", event, None, "system")], writes=[seal])
    return SealedSegment(first, last, path.stem, size)


def _retire(log: Log) -> int:
    """Removes hot rows that are in manifested segments, a chunk at a time, so that writers wait only briefly.

    Returns the number of positions retired."""
    retired = 0
    for first, last, *_, done in log.reader().segments():
        if done:
            continue
        for start in range(first, last + 1, RETIRE_CHUNK):
            begun = time.monotonic()
            log.append([], writes=[Retire(start, min(last, start + RETIRE_CHUNK - 1))])
            time.sleep(time.monotonic() - begun)  # leaves the write lock free half of the time
        event = SegmentRetired(first=first, last=last)
        log.append([NewEvent("segments", event, None, "system")], writes=[Retire(first, last, finished=True)])
        retired += last - first + 1
    if retired:
        log.writer().shrink()
    return retired
