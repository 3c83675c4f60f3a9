"""Retention: folds observations older than a configured age into `ActivityFolded`; the chain stays verifiable.

Works only on segments, one at a time. The file is rewritten beside the old one without the observations that nothing
needs (see `citing`); a jump row replaces each run of them (see `jumps`). It is read back and verified. Then ONE
transaction, which fails if another process wrote in between, names the new file in the manifest and appends the
`SegmentFolded` with its proof and the `ActivityFolded` events. A run killed before the transaction changes nothing.
The old file is removed with the next orphans.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from kairos._native import blake3_hash, link_row
from kairos.domain.activity import Folding, Observation
from kairos.domain.events import ActivityFolded, FilesChanged, SegmentFolded
from kairos.errors import Conflict, IntegrityError
from kairos.eventlog import codec
from kairos.eventlog.cold.citing import OBSERVATION, Citations
from kairos.eventlog.cold.jumps import jump_row, proof, shorthand
from kairos.eventlog.cold.leftovers import collect_orphans, finish_forgetting, only_one
from kairos.eventlog.cold.segment import Run, SegmentRow, prove_segment, publish, segment_rows, write_segment
from kairos.eventlog.log import Log
from kairos.eventlog.record import HeadAt, Manifested, NewEvent, Put, Swap
from kairos.eventlog.views.repositories import RepositoriesView

DEALT = "folded"
"""The view with a row for each segment already processed, so that it is not read every night. Disposable."""
WORTHWHILE = 3
"""Minimum number of changed paths in a run: fewer take no more space than the jump row that would replace them."""


class FoldedSegment(msgspec.Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """What was folded from one segment: the number of observations and of changes in them. `kept`: observations that
    stay, because something needs them or their run is too short. File sizes before and after in bytes."""

    first: int
    last: int
    events: int
    changes: int
    kept: int
    bytes_before: int
    bytes_after: int


class Folded(msgspec.Struct, frozen=True):
    """What one run folded, or would fold. `days`: the number of `ActivityFolded` events; `days_bytes`: their size."""

    segments: list[FoldedSegment]
    days: int
    days_bytes: int


class _Rewritten(NamedTuple):
    """A segment rewritten under a temporary name, what it leaves out, and the events that record this."""

    path: Path
    size: int
    digest: bytes
    left_out: _Sieve
    events: list[SegmentFolded | ActivityFolded]


def fold(log: Log, before: int, *, dry: bool = False) -> Folded:
    """Folds the observations recorded before a time (us), in segments that contain no newer observation and none that
    the reactor has not processed yet. `dry`: only reports what would be folded, and changes nothing.

    TryAgain if a compaction or forgetting runs or the disk is full, IntegrityError if a segment is not as it was
    sealed; that segment is left unchanged."""
    segments: list[FoldedSegment] = []
    days = size = 0
    with only_one(log), log.errors():
        if not dry:
            finish_forgetting(log)
            collect_orphans(log)
        judged = _judged(log)
        old = [segment for segment in _undealt(log) if _is_ripe(log, segment, before, judged)]
        citations = Citations(log, old[0].first - 1 if old else log.head())
        for segment in old:
            new = _fold_segment(log, segment, before, citations, dry=dry)
            out = new.left_out
            if out.events:
                segments.append(
                    FoldedSegment(
                        segment.first, segment.last, out.events, out.changes, out.kept, segment.size, new.size
                    )
                )
                days += len(new.events) - 1
                size += sum(len(codec.encode(event)[2]) for event in new.events[1:])
        if not dry:
            collect_orphans(log)
    return Folded(segments, days, size)


def _undealt(log: Log) -> list[Manifested]:
    dealt = log.view(DEALT)
    return [s for s in log.reader().segments() if s.retired and _key(s) not in dealt]


def _key(segment: Manifested) -> bytes:
    return f"{segment.first:012d}".encode()


def _judged(log: Log) -> dict[str, int]:
    """The reactor's position in each watched repository: later observations may still become the cause of an event."""
    watched = RepositoriesView().load(log)[0].by_id.values()
    return {r.id: max(log.tracking(f"reactor/{r.id}"), r.ready_at) for r in watched if r.watched}


def _is_ripe(log: Log, segment: Manifested, before: int, judged: Mapping[str, int]) -> bool:
    """Whether every observation in a segment is older than `before` (us) and was processed by the reactor. Clocks can
    be set back, so checking the last observation alone is not enough."""
    rows = segment_rows(log.segment(segment.file), topics={OBSERVATION}, sealed=segment.digest)
    return all(row[5] < before and row[0] <= judged.get(row[1], row[0]) for row in rows)


def _fold_segment(log: Log, segment: Manifested, before: int, citations: Citations, *, dry: bool) -> _Rewritten:
    """Rewrites one segment and commits it; starts over if a new event cites a position that would be folded."""
    while True:
        new = _rewrite(log, segment, before, citations)
        if dry or not new.left_out.runs:
            new.path.unlink()
            if not dry:
                log.append([], writes=[Put(DEALT, _key(segment), b"")])
            return new
        name = f"{segment.first:012d}-{segment.last:012d}.{log.head():012d}.parquet"
        swap = Swap(segment.first, name, new.size, new.digest)
        publish(new.path, log.segments / name)
        if _commit(log, [swap, Put(DEALT, _key(segment), b"")], new, citations):
            return new


def _commit(log: Log, writes: list[Swap | Put], new: _Rewritten, citations: Citations) -> bool:
    """Commits the rewritten segment; False if an event appended in between cites a position that would be folded."""
    whole = [_new_event(i, event) for i, event in enumerate(new.events)]
    while True:
        try:
            log.append(whole, writes=[*writes, HeadAt(citations.head)])
            return True
        except Conflict:
            if any(run.first <= cited <= run.last for cited in citations.extend() for run in new.left_out.runs):
                return False


def _new_event(index: int, event: SegmentFolded | ActivityFolded) -> NewEvent:
    """The event to append. An `ActivityFolded` is caused by the `SegmentFolded`, which is appended first."""
    if isinstance(event, ActivityFolded):
        return NewEvent(event.repo, event, -index, "system")
    return NewEvent("segments", event, None, "system")


def _rewrite(log: Log, segment: Manifested, before: int, citations: Citations) -> _Rewritten:
    """Writes the segment without the folded observations, and verifies the links at both ends and around each run."""
    source = segment_rows(log.segment(segment.file), sealed=segment.digest)
    sieve = _Sieve(segment.before, citations)
    path = log.segments / f"{segment.first:012d}.folded.tmp"
    rows, size = write_segment(path, sieve.rows(source))
    proven = prove_segment(path, rows, segment.before, segment.after)
    if sieve.link != segment.after or proven.runs != sieve.all_runs:
        path.unlink()
        raise IntegrityError(
            f"the segment {segment.file} does not match the hashes it was sealed with; it was left unchanged",
            "Run `kairos log verify`.",
        )
    whole = SegmentFolded(
        first=segment.first, last=segment.last, before=before, events=sieve.events, proof=proof(sieve.runs),
        runs=shorthand(segment.first, [(run.first, run.last) for run in sieve.runs]),
    )  # fmt: skip
    return _Rewritten(path, size, proven.digest, sieve, [whole, *sieve.folding.events(citations.newest)])


class _Sieve:
    """Passes through the rows of a segment that stay; folds the others and replaces each run of them by a jump row."""

    def __init__(self, before: bytes, citations: Citations) -> None:
        self.link = before
        self.runs: list[Run] = []
        self.all_runs: list[Run] = []
        """All runs in the new file, including those of earlier foldings."""
        self.folding = Folding()
        self.events = self.changes = self.kept = 0
        self._citations = citations
        self._run: Run | None = None
        """The run of foldable rows since the last row that stays."""
        self._held: list[tuple[SegmentRow, FilesChanged]] = []
        """The rows of the current run while it is too short for a jump row."""
        self._weight = 0

    def rows(self, source: Iterable[SegmentRow]) -> Iterator[SegmentRow]:
        """Yields the rows of the new segment; `source` gives all rows of the old one in order."""
        for row in source:
            before, payload = self.link, row[9]
            self.link = link_row(before, row[:9], blake3_hash(payload) if payload is not None else row[10])
            event = codec.decode(OBSERVATION, row[4], payload) if row[3] == OBSERVATION and payload else None
            if isinstance(event, FilesChanged) and not self._citations.needs(row[:10], event):
                self._hold(row, event, before)
                continue
            yield from self._end()
            self.kept += row[3] == OBSERVATION
            if not row[3]:
                self.all_runs.append(Run(row[7], row[0], before, row[10]))
            yield row
        yield from self._end()

    def _hold(self, row: SegmentRow, event: FilesChanged, before: bytes) -> None:
        first, start = (self._run.first, self._run.before) if self._run else (row[0], before)
        self._run = Run(first, row[0], start, self.link)
        self._weight += len(event.changes)
        self._held.append((row, event))
        if self._weight >= WORTHWHILE:
            for held, observation in self._held:
                self.folding.add(Observation(held[0], held[5], held[8], observation))
                self.events += 1
                self.changes += len(observation.changes)
            self._held.clear()

    def _end(self) -> Iterator[SegmentRow]:
        """Ends the current run: yields its jump row, or its rows if it is too short."""
        if self._run is not None and self._weight >= WORTHWHILE:
            self.runs.append(self._run)
            self.all_runs.append(self._run)
            yield jump_row(self._run)
        else:
            yield from (row for row, _ in self._held)
            self.kept += len(self._held)
        self._held.clear()
        self._run, self._weight = None, 0
