"""Who asks to be woken at an instant is, once, on the wall clock; nothing else wakes anybody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kairos.clock import SECOND, now_us
from kairos.schedule.scheduler import FARTHEST_DAYS, Scheduler

YEAR = 365 * 86_400 * SECOND


@pytest.fixture
def jumps() -> list[int]:
    return []


@pytest.fixture
def scheduler(jumps: list[int]) -> Iterator[Scheduler]:
    """One that runs in its thread."""
    made = Scheduler(lambda: jumps.append(1))
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join(30)
    assert not thread.is_alive()


@pytest.fixture
def shift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves Kairos's clock by so many seconds in all."""
    file = tmp_path / "clock"
    monkeypatch.setenv("KAIROS_CLOCK_FILE", str(file))
    return lambda seconds: str(file.write_text(str(seconds))) and None


class Woken:
    """Counts wakes, and when they came."""

    def __init__(self) -> None:
        self.at: list[int] = []
        self._came = threading.Semaphore(0)

    def __call__(self) -> None:
        self.at.append(now_us())
        self._came.release()

    def wait(self) -> bool:
        return self._came.acquire(timeout=30)


def test_a_wake_comes_at_its_instant_and_not_before(scheduler: Scheduler) -> None:
    woken, instant = Woken(), now_us() + SECOND // 20
    scheduler.at("expiry", instant, woken)
    assert woken.wait()
    assert woken.at[0] >= instant


def test_an_instant_that_has_passed_wakes_at_once_and_once(scheduler: Scheduler) -> None:
    woken = Woken()
    for instant in (now_us() - 1, 0, -1, -(2**60)):
        scheduler.at("expiry", instant, woken)
        assert woken.wait()
    scheduler.at("other", now_us(), woken)
    assert woken.wait()
    assert len(woken.at) == 5


def test_a_later_word_replaces_an_earlier_one(scheduler: Scheduler) -> None:
    early, late, instant = Woken(), Woken(), now_us() + SECOND // 20
    scheduler.at("expiry", instant - 1, early)
    scheduler.at("expiry", now_us() + YEAR, early)
    scheduler.at("pause", instant, late)
    assert late.wait()
    assert early.at == []


def test_what_is_not_wanted_any_more_does_not_come(scheduler: Scheduler) -> None:
    taken_back, kept, instant = Woken(), Woken(), now_us() + SECOND // 20
    scheduler.at("delivery", instant, taken_back)
    scheduler.at("delivery", None, taken_back)
    scheduler.at("delivery", None, taken_back)
    scheduler.at("pause", instant + 1, kept)
    assert kept.wait()
    assert taken_back.at == []


def test_what_is_asked_before_it_runs_comes_when_it_runs() -> None:
    scheduler, woken, never = Scheduler(lambda: None), Woken(), Woken()
    scheduler.at("expiry", now_us() + YEAR, never)
    scheduler.at("expiry", now_us(), woken)
    scheduler.at("pause", now_us(), never)
    scheduler.at("pause", None, never)
    thread = threading.Thread(target=scheduler.run)
    thread.start()
    assert woken.wait()
    scheduler.stop()
    thread.join(30)
    assert not thread.is_alive() and never.at == []


def test_a_stop_before_the_start_is_a_stop() -> None:
    scheduler = Scheduler(lambda: None)
    scheduler.stop()
    scheduler.run()


@pytest.mark.parametrize("ahead", [2 * YEAR, 2**60, 2**62])
def test_what_lies_farther_ahead_than_a_calendar_goes_is_asked_for_again_in_a_year(
    scheduler: Scheduler, ahead: int
) -> None:
    scheduler.at("expiry", now_us() + ahead, Woken())
    first = scheduler._clock.get_job("expiry")
    scheduler.at("expiry", now_us() + ahead, Woken())
    assert 0 < first.next_run_time.timestamp() * 1e6 - now_us() <= FARTHEST_DAYS * 86_400 * SECOND
    assert scheduler._clock.get_job("expiry") is first, "and not worked out anew at every step"


def test_instants_are_of_the_shifted_clock(scheduler: Scheduler, shift: Callable[[float], None]) -> None:
    shift(-1_000_000)
    woken = Woken()
    scheduler.at("expiry", now_us() + SECOND // 20, woken)
    assert woken.wait()


def test_who_says_it_anew_after_the_shift_is_woken_by_the_shifted_clock(
    scheduler: Scheduler, shift: Callable[[float], None]
) -> None:
    shift(0)
    woken, instant = Woken(), now_us() + YEAR
    scheduler.at("expiry", instant, woken)
    shift(YEAR / SECOND)
    scheduler.at("expiry", instant, woken)
    assert woken.wait()
    assert woken.at[0] >= instant


class Jumping:
    """An alarm at which the clock jumps once, before anything is due."""

    def __init__(self) -> None:
        self.left = 1
        self._woken = threading.Event()

    def wait(self, at_us: int | None = None) -> bool:
        self.left -= 1
        if self.left == 0:
            return True
        self._woken.wait()
        self._woken.clear()
        return False

    def wake(self) -> None:
        self._woken.set()


def test_a_jump_of_the_clock_is_told_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sets the clock of the machine that runs the tests; what the kernel says then is played here."""
    monkeypatch.setattr("kairos.schedule.scheduler.Alarm", Jumping)
    woken = Woken()
    scheduler = Scheduler(lambda: scheduler.at("night", now_us(), woken))
    thread = threading.Thread(target=scheduler.run)
    thread.start()
    assert woken.wait()
    scheduler.stop()
    thread.join(30)
    assert len(woken.at) == 1 and not thread.is_alive()
