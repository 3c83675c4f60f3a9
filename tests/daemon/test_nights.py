"""Nightly jobs: each occurrence once, with one outcome, by whoever holds the job."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kairos.daemon.folded import World
from kairos.daemon.nights import Nights, jobs
from kairos.domain.events import DaemonStarted, OccurrenceDue, OccurrenceEnded
from kairos.eventlog.leases import Everything
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import Fence, NewEvent
from kairos.home import Home, find_home
from kairos.settings import Config, Schedule


def test_a_job_that_is_switched_off_is_not_wanted() -> None:
    assert jobs(Config()) == {"dream", "compact"}
    assert jobs(Config(schedule=Schedule(dream=""))) == {"compact"}


NOON = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def noon(clock: Callable[[float], None]) -> Callable[[float], None]:
    """It is noon of 1 June 2026, and so many hours later when called."""

    def later(hours: float) -> None:
        clock(NOON + hours * 3_600 - time.time())

    later(0)
    return later


@pytest.fixture
def nights(home: Home, world: World, log: Log, noon: Any) -> Iterator[Nights]:
    log.append([NewEvent("daemon", DaemonStarted(program="1", pid=1))])
    made = Nights(home, Config(), open_log(home), world, Everything(), UTC)
    made.catch_up()
    yield made
    made.close()


def outcomes(log: Log) -> list[tuple[str, str]]:
    ended = [r.event for r in log.read(topics={"OccurrenceEnded"})]
    return [(e.job, e.outcome) for e in ended if isinstance(e, OccurrenceEnded)]


def test_what_is_due_runs_once_one_after_another(nights: Nights, log: Log, noon: Callable[[float], None]) -> None:
    nights.step()
    assert outcomes(log) == [], "nothing is made up for the night before the first start"
    noon(21)
    nights.step()
    nights.step()
    assert outcomes(log) == [("dream", "done"), ("compact", "done")]
    whys = [r.event.why for r in log.read(topics={"OccurrenceEnded"}) if isinstance(r.event, OccurrenceEnded)]
    assert whys == ["nothing new", "0 segments sealed, 0 rows retired"], "as the processes said"


def test_nothing_more_is_begun_after_a_stop(nights: Nights, log: Log, noon: Callable[[float], None]) -> None:
    noon(21)
    nights.stop()
    nights.step()
    assert list(log.read(topics={"OccurrenceDue"})) == []


def test_a_job_that_is_switched_off_never_runs(
    home: Home, world: World, log: Log, noon: Callable[[float], None]
) -> None:
    log.append([NewEvent("daemon", DaemonStarted(program="1", pid=1))])
    nights = Nights(home, Config(schedule=Schedule(dream="", compact="")), open_log(home), world, Everything(), UTC)
    nights.catch_up()
    noon(21)
    nights.step()
    assert list(log.read(topics={"OccurrenceDue"})) == []
    nights.close()


def test_what_a_crash_cut_is_unknown_and_not_rerun(nights: Nights, log: Log, noon: Callable[[float], None]) -> None:
    noon(21)
    due = OccurrenceDue(job="dream", scheduled=round((NOON + 15.5 * 3_600) * 1e6), late=0)
    log.append([NewEvent("job-dream", due)])
    nights.catch_up()
    nights.step()
    assert outcomes(log) == [("dream", "unknown"), ("compact", "done")]


class Some(Everything):
    """Holds the dream under a token, once there is one."""

    token: int | None = None

    def fences(self, name: str) -> tuple[Fence, ...] | None:
        return (Fence(name, self.token),) if self.token is not None and name == "job/dream" else None


def test_who_takes_a_job_over_settles_what_was_cut_short_and_runs_nothing_twice(
    homes: list[Log], tmp_path: Path, world: World
) -> None:
    log, held = homes[0], Some()
    due = OccurrenceDue(job="dream", scheduled=1_000_000, late=0)
    log.append([NewEvent("daemon", DaemonStarted(program="1", pid=1)), NewEvent("job-dream", due)])
    home = find_home(str(tmp_path / "ada"))
    nights = Nights(home, Config(schedule=Schedule(dream="", compact="")), open_log(home), world, held, UTC)
    nights.catch_up()
    assert outcomes(log) == [], "another daemon is at it"
    leases = log.leases()
    assert leases is not None
    held.token = leases.take("job/dream", "ada", 60)
    nights.catch_up()
    nights.catch_up()
    assert outcomes(log) == [("dream", "unknown")]
    nights.close()
    leases.close()
