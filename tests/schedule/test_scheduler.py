"""The timer thread: no tick that was asked for is lost, none runs beside another."""

from __future__ import annotations

import threading

from kairos.schedule.scheduler import Scheduler


def test_a_tick_that_is_asked_for_while_one_runs_comes_after_it_once() -> None:
    begun, go = threading.Semaphore(0), threading.Semaphore(0)
    beside: list[int] = []
    running = 0

    def tick() -> None:
        nonlocal running
        running += 1
        beside.append(running)
        begun.release()
        go.acquire()
        running -= 1

    scheduler = Scheduler(tick)
    scheduler.start()
    scheduler.now()
    assert begun.acquire(timeout=10)
    scheduler.now()
    scheduler.now()
    go.release()
    assert begun.acquire(timeout=10), "what was asked for meanwhile is not left to the next half minute"
    go.release(2)
    scheduler.stop()
    assert beside == [1, 1]


def test_ticks_that_are_asked_for_one_after_another_all_come() -> None:
    ticks = threading.Semaphore(0)
    scheduler = Scheduler(ticks.release)
    scheduler.start()
    for _ in range(200):
        scheduler.now()
        assert ticks.acquire(timeout=10)
    scheduler.stop()
