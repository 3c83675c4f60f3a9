"""Nightly jobs: each occurrence once, with one outcome, by whoever holds the job."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kairos.daemon.folded import World
from kairos.daemon.nights import Nights, times
from kairos.domain.events import DaemonStarted, OccurrenceDue, OccurrenceEnded
from kairos.eventlog.leases import Everything
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import Fence, NewEvent
from kairos.home import Home, find_home
from kairos.schedule.scheduler import Scheduler
from kairos.settings import Config, ScheduleSettings


def test_a_job_that_is_switched_off_is_not_wanted() -> None:
    assert times(Config()) == {"dream": (3, 30), "compact": (4, 0)}
    assert times(Config(schedule=ScheduleSettings(dream=""))) == {"compact": (4, 0)}


NOON = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def noon(clock: Callable[[float], None]) -> Callable[[float], None]:
    """It is noon of 1 June 2026, and so many hours later when called."""

    def later(hours: float) -> None:
        clock(NOON + hours * 3_600 - time.time())

    later(0)
    return later


class Planned:
    """A scheduler that notes when to wake whom, and wakes nobody."""

    def __init__(self) -> None:
        self.instants: dict[str, int | None] = {}

    def at(self, name: str, instant: int | None, wake: Callable[[], None]) -> None:
        self.instants[name] = instant

    def times(self) -> dict[str, str | None]:
        """When each is to be woken, in UTC."""
        return {
            n: None if i is None else f"{datetime.fromtimestamp(i / 1e6, UTC):%d %H:%M}"
            for n, i in self.instants.items()
        }


@pytest.fixture
def planned() -> Planned:
    return Planned()


@pytest.fixture
def make(home: Home, world: World, log: Log, noon: Any, planned: Planned) -> Iterator[Callable[..., Nights]]:
    """Nights on a schedule that began at noon."""
    log.append([NewEvent("daemon", DaemonStarted(program="1", pid=1))])
    made: list[Nights] = []

    def begin(config: Config | None = None, zone: Callable[[], tzinfo] = lambda: UTC) -> Nights:
        made.append(Nights(home, config or Config(), open_log(home), world, Everything(), zone, planned))  # type: ignore[arg-type]
        made[-1].catch_up()
        return made[-1]

    yield begin
    for nights in made:
        nights.close()


@pytest.fixture
def nights(make: Callable[..., Nights]) -> Nights:
    return make()


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
    make: Callable[..., Nights], log: Log, planned: Planned, noon: Callable[[float], None]
) -> None:
    nights = make(Config(schedule=ScheduleSettings(dream="", compact="")))
    noon(21)
    nights.step()
    assert list(log.read(topics={"OccurrenceDue"})) == []
    assert planned.instants == {}


def test_it_is_woken_for_the_next_night_of_each_job(
    nights: Nights, planned: Planned, noon: Callable[[float], None]
) -> None:
    nights.step()
    assert planned.times() == {"dream": "02 03:30", "compact": "02 04:00"}
    noon(15.6)
    nights.step()
    assert planned.times() == {"dream": "03 03:30", "compact": "02 04:00"}


def test_what_became_due_while_another_job_ran_is_not_left_to_the_next_night(
    nights: Nights, planned: Planned, log: Log, noon: Callable[[float], None]
) -> None:
    """The dream of this night takes until the next one is due."""
    noon(15.6)
    nights._jobs[0] = ("dream", nights._jobs[0][1], lambda: str(noon(40)))
    nights.step()
    assert outcomes(log) == [("dream", "done"), ("compact", "done")]
    assert planned.times()["dream"] == "03 03:30", "which has passed: the scheduler wakes it at once"


def test_it_runs_what_becomes_due_by_itself(
    home: Home, world: World, log: Log, noon: Callable[[float], None], running: Callable[..., Any], others: Any
) -> None:
    """No event and no tick: the scheduler wakes it, as the clock on the wall comes to the hour."""
    log.append([NewEvent("daemon", DaemonStarted(program="1", pid=1))])
    noon(15.5 - 3 / 3_600)
    scheduler = Scheduler(lambda: None)
    thread = threading.Thread(target=scheduler.run)
    thread.start()
    nights = Nights(home, Config(), open_log(home), world, Everything(), lambda: UTC, scheduler)
    with running(nights):
        others.until("OccurrenceEnded")
    scheduler.stop()
    thread.join(30)
    assert outcomes(log) == [("dream", "done")]
    assert [e.late < 60_000_000 for e in others.told("OccurrenceDue")] == [True]


def scheduled(log: Log) -> list[str]:
    due = [r.event for r in log.read(topics={"OccurrenceDue"}) if isinstance(r.event, OccurrenceDue)]
    return [f"{datetime.fromtimestamp(e.scheduled / 1e6, UTC):%Y-%m-%d %H:%M}" for e in due if e.job == "dream"]


@pytest.fixture
def dreams(make: Callable[..., Nights]) -> Callable[..., Nights]:
    """Nights of dreams alone, which do nothing."""

    def begin(zone: Callable[[], tzinfo] = lambda: UTC) -> Nights:
        nights = make(Config(schedule=ScheduleSettings(compact="")), zone)
        nights._jobs = [(job, cron, lambda: "") for job, cron, _ in nights._jobs]
        return nights

    return begin


def test_a_clock_that_is_set_back_a_day_repeats_nothing_and_leaves_nothing_out(
    dreams: Callable[..., Nights], log: Log, noon: Callable[[float], None]
) -> None:
    nights = dreams()
    for hours in (17, 65, 41, 42, 64, 66, 89):  # it slept from the 2nd to the 4th; then the clock is set back a day
        noon(hours)
        nights.step()
    assert scheduled(log) == ["2026-06-02 03:30", "2026-06-04 03:30", "2026-06-05 03:30"]


def test_a_clock_that_was_a_year_ahead_for_an_hour_costs_no_night(
    dreams: Callable[..., Nights], log: Log, noon: Callable[[float], None]
) -> None:
    nights = dreams()
    for hours in (1, 1 + 365 * 24, 2, 17, 41):
        noon(hours)
        nights.step()
    nights = dreams()  # a restart knows it from the log
    for hours in (42, 65):
        noon(hours)
        nights.step()
    assert scheduled(log) == ["2027-06-01 03:30", "2026-06-02 03:30", "2026-06-03 03:30", "2026-06-04 03:30"]


def test_a_first_start_with_a_clock_that_is_far_ahead_costs_no_night(
    dreams: Callable[..., Nights], log: Log, noon: Callable[[float], None]
) -> None:
    nights = dreams()
    for hours in (-365 * 24, -365 * 24 + 17, -365 * 24 + 41):
        noon(hours)
        nights.step()
    assert scheduled(log) == ["2025-06-02 03:30", "2025-06-03 03:30"]


def test_a_change_of_zone_repeats_no_night(
    dreams: Callable[..., Nights], log: Log, planned: Planned, noon: Callable[[float], None]
) -> None:
    zones = {"now": "Europe/Berlin"}
    nights = dreams(lambda: ZoneInfo(zones["now"]))
    noon(14)  # 04:00 in Berlin
    nights.step()
    zones["now"] = "America/New_York"
    nights.step()
    assert planned.times()["dream"] == "02 07:30", "03:30 in New York"
    noon(20)  # 04:00 in New York
    nights.step()
    noon(44)
    nights.step()
    zones["now"] = "Asia/Tokyo"
    noon(60)
    nights.step()
    assert scheduled(log) == ["2026-06-02 01:30", "2026-06-03 07:30"]


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
    nights = Nights(
        home,
        Config(schedule=ScheduleSettings(dream="", compact="")),
        open_log(home),
        world,
        held,
        lambda: UTC,
        Planned(),
    )  # type: ignore[arg-type]
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
