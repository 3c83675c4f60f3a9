"""Sleeping on the wall clock."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from kairos._native import Alarm


def now_us() -> int:
    return time.time_ns() // 1000


def test_it_sleeps_to_its_moment_and_not_beyond_a_wake() -> None:
    alarm, at = Alarm(), now_us() + 20_000
    assert alarm.wait(at) is False
    assert now_us() >= at
    alarm.wake()
    assert alarm.wait() is False
    assert alarm.wait(0) is False


def test_others_run_while_it_sleeps_and_wake_it() -> None:
    alarm, ended = Alarm(), threading.Event()

    def sleep() -> None:
        alarm.wait()
        ended.set()

    thread = threading.Thread(target=sleep)
    thread.start()
    assert not ended.wait(0.05)
    alarm.wake()
    thread.join(30)
    assert ended.is_set()


def _sleeps_through(tid: int) -> bool:
    """Whether a thread is not woken while another alarm comes."""
    before = _switches(tid)
    Alarm().wait(now_us() + 300_000)
    return _switches(tid) == before


def test_a_sleep_costs_no_wake_of_the_thread() -> None:
    alarm, tid = Alarm(), []

    def sleep() -> None:
        tid.append(threading.get_native_id())
        alarm.wait(now_us() + 60_000_000)

    thread = threading.Thread(target=sleep)
    thread.start()
    while not tid or _state(tid[0]) != "S":
        time.sleep(0.01)
    assert any(_sleeps_through(tid[0]) for _ in range(3)), "at first it may still be on its way to sleep"
    alarm.wake()
    thread.join(30)


@pytest.mark.parametrize("at", [2**63, -(2**63) - 1])
def test_a_moment_that_no_clock_shows_is_refused(at: int) -> None:
    with pytest.raises(OverflowError):
        Alarm().wait(at)


def _status(tid: int, name: str) -> str:
    lines = Path(f"/proc/self/task/{tid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))


def _state(tid: int) -> str:
    return _status(tid, "State")


def _switches(tid: int) -> int:
    return int(_status(tid, "voluntary_ctxt_switches"))
