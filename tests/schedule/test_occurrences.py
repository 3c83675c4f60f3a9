"""Each occurrence happens once and has one outcome."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kairos.domain.events import OccurrenceDue, OccurrenceEnded
from kairos.errors import KairosError
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.schedule.occurrences import run_if_due, settle_interrupted

BEGUN = round(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp() * 1e6)


@pytest.fixture
def morning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands at 09:00 UTC of the next day (to within the test's own run time)."""
    import time

    shift = tmp_path / "clock"
    shift.write_text(str(BEGUN / 1e6 + 21 * 3600 - time.time()))
    monkeypatch.setenv("KAIROS_CLOCK_FILE", str(shift))


def kinds(log: Log) -> list[str]:
    return [r.topic for r in log.stream("job-dream")]


def test_what_was_slept_through_runs_once_and_says_that_it_is_late(log: Log, morning: None) -> None:
    runs: list[int] = []
    for _ in range(3):
        run_if_due(log, "dream", (3, 30), BEGUN, UTC, lambda: str(runs.append(1)))
    assert (len(runs), kinds(log)) == (1, ["OccurrenceDue", "OccurrenceEnded"])
    came = log.stream("job-dream")[0].event
    assert isinstance(came, OccurrenceDue)
    assert came.late >= 5 * 3_600_000_000


def test_a_job_that_fails_has_the_outcome_failed_and_is_not_repeated(log: Log, morning: None) -> None:
    def fails() -> str:
        raise KairosError("no space left")

    ended = run_if_due(log, "dream", (3, 30), BEGUN, UTC, fails)
    assert ended is not None and (ended.outcome, ended.why) == ("failed", "no space left")
    assert run_if_due(log, "dream", (3, 30), BEGUN, UTC, fails) is None


def test_an_occurrence_that_a_crash_cut_is_unknown_and_never_rerun(log: Log, morning: None) -> None:
    log.append([NewEvent("job-dream", OccurrenceDue(job="dream", scheduled=BEGUN + 55_800_000_000))])
    settle_interrupted(log, "dream")
    settle_interrupted(log, "dream")
    ended = log.stream("job-dream")[-1].event
    assert isinstance(ended, OccurrenceEnded) and ended.outcome == "unknown"
    assert kinds(log) == ["OccurrenceDue", "OccurrenceEnded"]
    assert run_if_due(log, "dream", (3, 30), BEGUN, UTC, lambda: "ran again") is None


def test_looking_at_the_schedule_changes_nothing(log: Log, morning: None) -> None:
    run_if_due(log, "dream", None, BEGUN, UTC, lambda: "never")
    assert log.head() == 0
