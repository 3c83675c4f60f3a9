"""Occurrences of nightly jobs, recorded in the log: each (job, scheduled instant) runs once and has one outcome."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from kairos.clock import now_us
from kairos.domain.events import DaemonStarted, OccurrenceDue, OccurrenceEnded
from kairos.errors import Conflict, KairosError
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Recorded
from kairos.eventlog.views.projection import Projection

REMEMBERED = 64
"""Number of instants remembered for each job. A clock that was set back to an instant no longer remembered shows a time
before the oldest remembered one; instants there count as done."""

Job = Callable[[], str]
"""Runs one occurrence; returns a short description of what it did. Raises KairosError if it failed."""


class Occurrence(msgspec.Struct):
    """The last occurrence of a job: its instant (us), the position of its OccurrenceDue, the version of the job's
    stream, and whether its outcome is recorded."""

    scheduled: int
    position: int
    version: int
    ended: bool = False


class Schedule(msgspec.Struct):
    """When a daemon first started (us; 0: never), and for each job its last occurrence and the latest instants that
    occurred, ascending."""

    begun: int = 0
    last: dict[str, Occurrence] = {}
    done: dict[str, list[int]] = {}


class ScheduleView(Projection[Schedule]):
    name = "schedule"
    version = 2
    state = Schedule
    topics = frozenset({"DaemonStarted", "OccurrenceDue", "OccurrenceEnded"})

    def apply(self, state: Schedule, recorded: Recorded) -> None:
        match recorded.event:
            case DaemonStarted():
                state.begun = min(state.begun or recorded.at, recorded.at)
            case OccurrenceDue() as e:
                state.last[e.job] = Occurrence(e.scheduled, recorded.position, recorded.version)
                state.done[e.job] = sorted([*state.done.get(e.job, ()), e.scheduled])[-REMEMBERED:]
            case OccurrenceEnded() as e if e.job in state.last:
                state.last[e.job].ended, state.last[e.job].version = True, recorded.version
            case _:
                pass


def stream_of(job: str) -> str:
    """The stream of a job's occurrences."""
    return f"job-{job}"


def settle_interrupted(log: Log, job: str) -> None:
    """After a crash, records the outcome `unknown` for an occurrence that has none. It is not rerun automatically."""
    last = ScheduleView().load(log)[0].last.get(job)
    if last is not None and not last.ended:
        ended = OccurrenceEnded(
            job=job, scheduled=last.scheduled, outcome="unknown",
            why="the daemon stopped before the job ended; the next occurrence covers the same work",
        )  # fmt: skip
        log.append([NewEvent(stream_of(job), ended, last.position, "system")], expected={stream_of(job): last.version})


def run_once(log: Log, job: str, instant: int, seen: Schedule, work: Job) -> OccurrenceEnded | None:
    """Runs the occurrence of a job at an instant (us): appends OccurrenceDue, does the work, appends the outcome.
    `seen`: the schedule by which it is due. None if another process has started an occurrence of the job since."""
    stream = stream_of(job)
    started = now_us()
    version = seen.last[job].version if job in seen.last else 0
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
