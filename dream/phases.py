"""One dream from start to end: orient, gather, consolidate, index, gate, one append, publish."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from dream import index, lease, publish
from dream import invariants as gate
from dream.consolidate import consolidate
from dream.extract import extract, lost, taken_back
from dream.gather import Material, gather, signal
from kairos.clock import SECOND, now_us
from kairos.domain.events import (
    DreamFinished,
    DreamRejected,
    DreamStarted,
    Event,
    IndexPublished,
    MemoryAccepted,
    MemoryInvalidated,
    MemorySuperseded,
)
from kairos.errors import Conflict, KairosError
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import Drop, NewEvent, Track
from kairos.eventlog.views.projection import DamagedView
from kairos.eventlog.views.repositories import RepositoriesView
from kairos.home import Home
from kairos.memory.claims import Claims, MemoryView, fold
from kairos.memory.history import HistoryView

FOLLOWER = "dream"
REST_US = 20 * 3_600 * SECOND
ENOUGH = 200
"""Number of new signal events that start a scheduled dream before `REST_US` have passed since the last one."""
_MEMORY = frozenset({"MemoryAccepted", "MemorySuperseded", "MemoryInvalidated"})
_OWN = _MEMORY | {
    "DreamStarted", "DreamFinished", "DreamRejected", "IndexPublished", "MemoryFileEdited", "OccurrenceDue",
    "OccurrenceEnded", "SegmentSealed", "SegmentRetired", "SegmentFolded", "ActivityFolded",
}  # fmt: skip


class DreamRefused(KairosError):
    """The invariants rejected the result of the dream; memory is unchanged."""

    name = "dream_refused"


@dataclass
class Dreamt:
    """What a dream changed: (position or None, event), and notes for the person."""

    changes: list[tuple[int | None, Event]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Consolidation:
    """A planned dream: its events, the claims after them and the files to publish."""

    events: list[Event]
    after: Claims
    files: dict[str, bytes]


def dream(home: Home, *, manual: bool = False) -> Dreamt:
    """Runs one dream. No dream starts without new signal. TryAgain while another dream runs; DreamRefused if the
    invariants reject the result."""
    home.prepare()
    log = open_log(home)
    try:
        with log.errors(), lease.alone(home.run / "dream.lock"), lease.among_homes(log):
            return _dream(home, log, manual)
    finally:
        log.close()


def rehearse(home: Home) -> Dreamt:
    """What a dream would change if it ran now. Writes nothing."""
    log = open_log(home)
    try:
        if not log.exists():
            return Dreamt()
        head = log.head()
        gathered = gather(log, log.tracking(FOLLOWER), head)
        if gathered is None:
            return Dreamt()
        claims, _ = MemoryView().load(log, upto=head)
        plan = _plan(log, claims, gathered, head)
        wrong = gate.problems(log, plan.after, plan.events, plan.files, gathered.repos, gathered.upto)
        return Dreamt([(None, e) for e in plan.events], [f"it would be refused: {w}" for w in wrong])
    finally:
        log.close()


def _dream(home: Home, log: Log, manual: bool) -> Dreamt:
    claims, _ = MemoryView().load(log)
    if not log.shared:
        lease.check(claims, now_us())
    done = Dreamt()
    _repair(home, log, claims, done)
    after, head = log.tracking(FOLLOWER), log.head()
    waiting = signal(log, after, head)
    if not waiting and _is_foreign(log, after, head):
        log.append([], writes=[Track(FOLLOWER, head)])  # otherwise events without signal would hold back compaction
    if not waiting or not (manual or _is_time(log, claims, len(waiting))):
        return done
    upto, version = waiting[-1].position, log.version(FOLLOWER)
    name = f"dream-{version + 1}"
    started = DreamStarted(dream=name, after=after, upto=upto, lease_until=now_us() + lease.LEASE_US, host=lease.host())
    [head] = log.append([NewEvent(FOLLOWER, started, None, "system")], expected={FOLLOWER: version})
    claims, _ = MemoryView().load(log, upto=head)
    gathered, plan = _considered(log, claims, after, upto, head)
    wrong = gate.problems(log, plan.after, plan.events, plan.files, gathered.repos, upto)
    if wrong:
        refused = DreamRejected(dream=name, why="; ".join(wrong[:5]))
        log.append([NewEvent(FOLLOWER, refused, head, "system")], expected={FOLLOWER: version + 1})
        raise DreamRefused(f"the dream was not published: {refused.why}", "Memory stays as it was.")
    done.changes += _commit(log, started, head, version + 1, gathered, plan)
    _publish(home, log, plan.files, done)
    return done


def _considered(log: Log, claims: Claims, after: int, upto: int, head: int) -> tuple[Material, _Consolidation]:
    """What was gathered, and the plan. Counts of which a row is damaged are disposable: they are learned again."""
    for again in (True, False):
        try:
            gathered = gather(log, after, upto)
            assert gathered is not None
            return gathered, _plan(log, claims, gathered, head)
        except DamagedView as damaged:
            if not again:
                raise
            log.append([], writes=[Drop(damaged.view)])
    raise AssertionError("the second try returns or raises")


def _plan(log: Log, claims: Claims, gathered: Material, head: int) -> _Consolidation:
    """The events of the dream and the files after it. Reads only the log, up to `head`."""
    events = consolidate(
        claims, extract(gathered, claims), gathered.repos, gathered.at, lost(gathered, claims),
        taken_back(gathered, claims),
    )  # fmt: skip
    after = msgspec.json.decode(msgspec.json.encode(claims), type=Claims)
    for offset, event in enumerate(events, 1):
        fold(after, event, head + offset)
    return _Consolidation(events, after, index.files(after, _names(log, head), gathered.at))


def _commit(
    log: Log, started: DreamStarted, head: int, version: int, gathered: Material, plan: _Consolidation
) -> list[tuple[int | None, Event]]:
    """Appends the result of the dream in one transaction: after a crash either all of it is in the log or nothing."""
    file = plan.files[index.NAME]
    published = IndexPublished(hash=hashlib.sha256(file).hexdigest(), bytes=len(file), lines=file.count(b"\n"))
    finished = DreamFinished(
        dream=started.dream, after=started.after, upto=started.upto,
        digest=hashlib.sha256(f"{plan.after.digest()}{published.hash}".encode()).hexdigest(),
        accepted=_count(plan.events, MemoryAccepted), superseded=_count(plan.events, MemorySuperseded),
        invalidated=_count(plan.events, MemoryInvalidated),
    )  # fmt: skip
    new = [NewEvent("memory", event, head, "system") for event in plan.events]
    if published.hash != plan.after.index:
        new.append(NewEvent("memory", published, head, "system"))
    new.append(NewEvent(FOLLOWER, finished, head, "system"))
    with suppress(Conflict):  # compaction saved the counts further on meanwhile
        log.append([], writes=HistoryView().saving(gathered.histories, gathered.upto))
    positions = log.append(new, expected={FOLLOWER: version}, writes=[Track(FOLLOWER, gathered.upto)])
    return list(zip(positions, plan.events, strict=False))


def _repair(home: Home, log: Log, claims: Claims, done: Dreamt) -> None:
    """Finishes an interrupted publication, and records a person's changes to the files."""
    if not claims.index:
        return
    known = publish.published(log)
    complete = known.get(index.NAME, "").removeprefix("deleted ") == claims.index
    if not complete or not publish.is_untouched(home.memory, known):
        _publish(home, log, last_files(log, claims), done)


def last_files(log: Log, claims: Claims) -> dict[str, bytes]:
    """The files as written by the last finished dream, computed from the log alone."""
    then, _ = MemoryView().load(log, upto=claims.dreamed_from)
    for recorded in log.read(claims.dreamed_from, topics=_MEMORY, upto=claims.dreamed_at):
        fold(then, recorded.event, recorded.position)
    return index.files(then, _names(log, claims.dreamed_from), log.at_row(claims.dreamed_upto).at)


def _publish(home: Home, log: Log, files: dict[str, bytes], done: Dreamt) -> None:
    for edit in publish.publish(log, home.memory, files, None):
        done.changes.append((None, edit))
        if edit.what == "deleted":
            done.notes.append(f"{edit.file} was deleted by hand: it comes back when there is news for it")
        else:
            done.notes.append(f"{edit.file} was edited by hand: the edited text is kept as {edit.kept}")
    claims, position = MemoryView().load(log)
    log.append([], writes=MemoryView().saving(claims, position))


def _is_foreign(log: Log, after: int, head: int) -> bool:
    """Whether the log has events after a position other than those of nightly jobs."""
    return any(row.topic not in _OWN for row in log.reader().rows(after, upto=head))


def _is_time(log: Log, claims: Claims, waiting: int) -> bool:
    if waiting >= ENOUGH or not claims.dreamed_at:
        return True
    return now_us() - log.at_row(claims.dreamed_at).at >= REST_US


def _names(log: Log, upto: int) -> dict[str, str]:
    known = RepositoriesView().load(log, upto=upto)[0].by_id
    return {i: Path(r.root).name for i, r in known.items()}


def _count(events: Sequence[Event], kind: type[Event]) -> int:
    return sum(isinstance(event, kind) for event in events)
