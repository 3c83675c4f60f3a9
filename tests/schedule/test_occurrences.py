"""Each occurrence happens once and has one outcome."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kairos.clock import now_us
from kairos.domain.events import DaemonStarted, OccurrenceDue, OccurrenceEnded
from kairos.errors import KairosError
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.schedule import occurrences
from kairos.schedule.occurrences import Schedule, ScheduleView, run_once, settle_interrupted

HOUR = 3_600_000_000
NIGHT = round(datetime(2026, 6, 2, 3, 30, tzinfo=UTC).timestamp() * 1e6)


def schedule(log: Log) -> Schedule:
    return ScheduleView().load(log)[0]


def kinds(log: Log) -> list[str]:
    return [r.topic for r in log.stream("job-dream")]


def test_an_occurrence_has_its_due_before_the_work_and_its_outcome_after(log: Log) -> None:
    ended = run_once(log, "dream", NIGHT, schedule(log), lambda: " ".join(kinds(log)))
    assert ended is not None
    assert (ended.outcome, ended.why, ended.scheduled) == ("done", "OccurrenceDue", NIGHT)
    assert kinds(log) == ["OccurrenceDue", "OccurrenceEnded"]
    assert log.stream("job-dream")[1].caused_by == log.stream("job-dream")[0].position


def test_what_was_slept_through_says_that_it_is_late(log: Log) -> None:
    before = now_us()
    run_once(log, "dream", before - 5 * HOUR, schedule(log), lambda: "")
    came = log.stream("job-dream")[0].event
    assert isinstance(came, OccurrenceDue)
    assert 5 * HOUR <= came.late <= 5 * HOUR + now_us() - before


def test_of_two_daemons_that_saw_the_same_schedule_one_wins(log: Log) -> None:
    seen = schedule(log)
    runs: list[str] = []

    def work() -> str:
        other = Log(log.path)
        assert run_once(other, "dream", NIGHT, seen, lambda: str(runs.append("other"))) is None
        other.close()
        return str(runs.append("first"))

    assert run_once(log, "dream", NIGHT, seen, work) is not None
    assert runs == ["first"]
    assert run_once(log, "dream", NIGHT, seen, lambda: "again") is None
    assert run_once(log, "dream", NIGHT + 1, schedule(log), lambda: "the next") is not None


def test_a_job_that_fails_has_the_outcome_failed(log: Log) -> None:
    def fails() -> str:
        raise KairosError("no space left")

    ended = run_once(log, "dream", NIGHT, schedule(log), fails)
    assert ended is not None and (ended.outcome, ended.why) == ("failed", "no space left")


def test_an_occurrence_that_a_crash_cut_is_unknown_once(log: Log) -> None:
    log.append([NewEvent("job-dream", OccurrenceDue(job="dream", scheduled=NIGHT))])
    settle_interrupted(log, "dream")
    settle_interrupted(log, "dream")
    ended = log.stream("job-dream")[-1].event
    assert isinstance(ended, OccurrenceEnded) and ended.outcome == "unknown"
    assert kinds(log) == ["OccurrenceDue", "OccurrenceEnded"]


def test_the_latest_instants_are_remembered_in_order_however_the_clock_moved(log: Log) -> None:
    nights = [NIGHT + n * 86_400_000_000 for n in range(occurrences.REMEMBERED + 5)]
    told = [nights[-1], *nights[:-1]]  # the clock was far ahead when the first of them ran
    log.append([NewEvent("job-dream", OccurrenceDue(job="dream", scheduled=at)) for at in told])
    assert schedule(log).done["dream"] == nights[5:]
    assert schedule(log).last["dream"].scheduled == nights[-2]


@pytest.mark.parametrize("shift", [3_600, -3_600])
def test_a_schedule_begins_with_the_earliest_start(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shift: int
) -> None:
    log.append([NewEvent("daemon", DaemonStarted(program="1", pid=1))])
    (tmp_path / "clock").write_text(str(shift))
    monkeypatch.setenv("KAIROS_CLOCK_FILE", str(tmp_path / "clock"))
    log.append([NewEvent("daemon", DaemonStarted(program="1", pid=1))])
    assert schedule(log).begun == min(log.at(1).at, log.at(2).at) == log.at(1 if shift > 0 else 2).at


def test_looking_at_the_schedule_changes_nothing(log: Log) -> None:
    schedule(log)
    settle_interrupted(log, "dream")
    assert log.head() == 0
