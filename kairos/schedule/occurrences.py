"""Occurrences of nightly jobs, kept in the log: each (job, scheduled instant) happens once and has one outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

from kairos.clock import now_us
from kairos.domain.events import OccurrenceDue, OccurrenceEnded
from kairos.errors import Conflict, KairosError
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.schedule import triggers

Job = Callable[[], str]
"""Runs one occurrence; returns a word on what it did. KairosError: it failed."""


def stream_of(job: str) -> str:
    """The stream of a job's occurrences."""
    return f"job-{job}"


def settle_interrupted(log: Log, job: str) -> None:
    """After a crash: an occurrence that came due and has no outcome is `unknown`, never rerun by itself."""
    history = log.stream(stream_of(job))
    if history and isinstance(history[-1].event, OccurrenceDue):
        last = history[-1]
        ended = OccurrenceEnded(
            job=job, scheduled=history[-1].event.scheduled, outcome="unknown",
            why="the daemon stopped before the job ended; the next occurrence covers the same work",
        )  # fmt: skip
        log.append([NewEvent(stream_of(job), ended, last.position, "system")], expected={stream_of(job): last.version})


def run_if_due(
    log: Log, job: str, at: tuple[int, int] | None, begun: int, zone: tzinfo, work: Job
) -> OccurrenceEnded | None:
    """Runs a job if an instant is due: OccurrenceDue first (two daemons cannot both win it), then the work, then
    the one outcome. None when nothing was due."""
    stream = stream_of(job)
    history = log.stream(stream)
    last = next((r.event.scheduled for r in reversed(history) if isinstance(r.event, OccurrenceDue)), None)
    started = now_us()
    instant = triggers.due(at, begun, last, started, zone)
    if instant is None:
        return None
    version = log.version(stream)
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
