"""Occurrences of nightly jobs, kept in the log: each (job, scheduled instant) happens once and has one outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

import msgspec

from kairos.clock import now_us
from kairos.domain.events import DaemonStarted, OccurrenceDue, OccurrenceEnded
from kairos.errors import Conflict, KairosError
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Recorded
from kairos.eventlog.views.projection import Projection
from kairos.schedule import triggers

Job = Callable[[], str]
"""Runs one occurrence; returns a word on what it did. KairosError: it failed."""


class Occurrence(msgspec.Struct):
    """The last occurrence of a job: its instant (us), the position of its OccurrenceDue, whether it has its outcome,
    and how many events its stream has."""

    scheduled: int
    position: int
    version: int
    ended: bool = False


class Schedule(msgspec.Struct):
    """When a daemon first began (us; 0: never), and the last occurrence of each job."""

    begun: int = 0
    last: dict[str, Occurrence] = {}


class ScheduleView(Projection[Schedule]):
    name = "schedule"
    state = Schedule
    topics = frozenset({"DaemonStarted", "OccurrenceDue", "OccurrenceEnded"})

    def apply(self, state: Schedule, recorded: Recorded) -> None:
        match recorded.event:
            case DaemonStarted():
                state.begun = state.begun or recorded.at
            case OccurrenceDue() as e:
                state.last[e.job] = Occurrence(e.scheduled, recorded.position, recorded.version)
            case OccurrenceEnded() as e if e.job in state.last:
                state.last[e.job].ended, state.last[e.job].version = True, recorded.version
            case _:
                pass


def stream_of(job: str) -> str:
    """The stream of a job's occurrences."""
    return f"job-{job}"


def settle_interrupted(log: Log, job: str) -> None:
    """After a crash: an occurrence that came due and has no outcome is `unknown`, never rerun by itself."""
    last = ScheduleView().load(log)[0].last.get(job)
    if last is not None and not last.ended:
        ended = OccurrenceEnded(
            job=job, scheduled=last.scheduled, outcome="unknown",
            why="the daemon stopped before the job ended; the next occurrence covers the same work",
        )  # fmt: skip
        log.append([NewEvent(stream_of(job), ended, last.position, "system")], expected={stream_of(job): last.version})


def run_if_due(
    log: Log, job: str, at: tuple[int, int] | None, begun: int, zone: tzinfo, work: Job
) -> OccurrenceEnded | None:
    """Runs a job if an instant is due: OccurrenceDue first (two daemons cannot both win it), then the work, then
    the one outcome. None when nothing was due."""
    stream = stream_of(job)
    last = ScheduleView().load(log)[0].last.get(job)
    started = now_us()
    instant = triggers.due(at, begun, last.scheduled if last else None, started, zone)
    if instant is None:
        return None
    version = last.version if last else 0
    came = OccurrenceDue(job=job, scheduled=instant, late=max(0, started - instant))
    try:
        position = log.append([NewEvent(stream, came, None, "system")], expected={stream: version})[0]
    except Conflict:
        return None
    try:
        outcome, why = "done", work()
    except KairosError as error:
        outcome, why = "failed", error.message
    ended = OccurrenceEnded(
        job=job, scheduled=instant, outcome=outcome, why=why, seconds=(now_us() - started) / 1_000_000
    )
    log.append([NewEvent(stream, ended, position, "system")], expected={stream: version + 1})
    return ended
