"""Compaction: seal, verify, retire.

Old events go to a segment file (temporary name, synced), are read back and compared, renamed, and only then does
one transaction name the file in the manifest and move `sealed_upto`; readers pass over hot rows up to there, so the
rows that a later, paced retirement removes were already unseen. Killed anywhere, the next run cleans up and goes on.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from kairos.domain.events import SegmentRetired, SegmentSealed
from kairos.errors import IntegrityError, TryAgain
from kairos.eventlog.log import Log, sqlite_errors
from kairos.eventlog.record import NewEvent, Retire, Row, Seal
from kairos.eventlog.segment import file_digest, segment_link, sync_folder, write_segment
from kairos.eventlog.upkeep import collect_orphans, finish_forgetting, only_one
from kairos.eventlog.views import all_views, keep_views

ROWS_A_SEGMENT = 50_000
WORTHWHILE = 1_000
"""Fewer old rows than this are left hot, unless asked for."""
RETIRE_CHUNK = 5_000
TRIGGERS = ("FilesChanged", "GitMoved", "CommitRecorded")


class SealedSegment(msgspec.Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """A segment that this run sealed."""

    first: int
    last: int
    file: str
    bytes: int


class Compacted(msgspec.Struct, frozen=True):
    """What one run did, and the sizes after it in bytes."""

    sealed: list[SealedSegment]
    retired: int
    hot_bytes: int
    cold_bytes: int


def compact(log: Log, *, before: int | None = None, ended: Collection[str] = ()) -> Compacted:
    """Seals and retires events older than `before` (us), or with None everything behind the slowest follower.

    `ended`: tracking names of followers that a person switched off; they hold nothing back.
    TryAgain if another compaction runs or the disk is full; nothing is lost."""
    log.segments.mkdir(parents=True, exist_ok=True, mode=0o700)
    with only_one(log.segments), sqlite_errors(log.path):
        finish_forgetting(log)
        collect_orphans(log)
        keep_views(log)
        sealed = []
        limit = _sealable(log, before, ended)
        if limit - log.sealed_upto() >= (WORTHWHILE if before is not None else 1):
            while log.sealed_upto() < limit:
                sealed.append(_seal(log, limit))
        retired = _retire(log)
        cold = sum(row[3] for row in log.reader().segments())
    hot = sum(p.stat().st_size for p in (log.path, log.path.with_name(log.path.name + "-wal")) if p.exists())
    return Compacted(sealed, retired, hot, cold)


def _sealable(log: Log, before: int | None, ended: Collection[str]) -> int:
    """The last position that may be sealed: old enough, and behind every follower."""
    limit = log.head()
    current = {view.key for view in all_views()}
    for name, position in log.trackings().items():
        if name.startswith("reactor/"):
            position = log.reader().next_position(name.removeprefix("reactor/"), TRIGGERS, position, limit)
        if name in current or not (name.startswith("snapshot/") or name in ended):
            limit = min(limit, position)
    return limit if before is None else log.reader().last_before(before, limit)


def _seal(log: Log, limit: int) -> SealedSegment:
    first = log.sealed_upto() + 1
    rows = list(log.reader().rows(first - 1, limit=ROWS_A_SEGMENT, upto=limit))
    if [r.position for r in rows] != list(range(first, first + len(rows))):
        raise IntegrityError("positions are missing between the segments and the hot rows", "Run `kairos log verify`.")
    last = rows[-1].position
    start = log.reader().link_at(first - 1)
    end = rows[-1].link
    name = f"{first:012d}-{last:012d}.parquet"
    temporary = log.segments / f"{name}.tmp"
    size = _write(temporary, rows)
    if segment_link(temporary, start) != end:
        temporary.unlink()
        raise IntegrityError(
            f"positions {first}..{last} do not give the links they were stored with; they stay where they are",
            "Run `kairos log verify` to find the damaged place.",
        )
    digest = file_digest(temporary)
    temporary.rename(log.segments / name)
    sync_folder(log.segments)
    event = SegmentSealed(first=first, last=last, file=name, bytes=size, root=end.hex())
    seal = Seal(first, last, name, size, digest, start, end)
    log.append([NewEvent("segments", event, None, "system")], writes=[seal])
    return SealedSegment(first, last, name, size)


def _write(path: Path, rows: list[Row]) -> int:
    try:
        return write_segment(path, rows)
    except (OSError, ValueError) as error:
        path.unlink(missing_ok=True)
        raise TryAgain(
            f"the segment {path.name} could not be written: {error}", "Free some space; the events stay where they are."
        ) from error


def _retire(log: Log) -> int:
    """Removes hot rows that are in manifested segments, a chunk at a time, so that writers wait only briefly."""
    retired = 0
    for first, last, *_, done in log.reader().segments():
        if done:
            continue
        for start in range(first, last + 1, RETIRE_CHUNK):
            log.append([], writes=[Retire(start, min(last, start + RETIRE_CHUNK - 1))])
        event = SegmentRetired(first=first, last=last)
        log.append([NewEvent("segments", event, None, "system")], writes=[Retire(first, last, finished=True)])
        retired += last - first + 1
    if retired:
        log.writer().shrink()
    return retired
