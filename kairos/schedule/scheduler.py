"""The scheduler: APScheduler with its memory store only, over an alarm of the wall clock.

It wakes whoever asked to be woken at an instant. What is due then, and whether it ran already, is the log's word; so
one wake too many does nothing, and none is kept over a restart.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.date import DateTrigger

from kairos._native import Alarm
from kairos.clock import DAY, machine_us, now_us, shift_us

FARTHEST_DAYS = 366
"""Whoever asks for later than this is woken then, and asks again."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Scheduler:
    """One thread's work: wakes at instants of Kairos's clock. `run` returns after `stop`."""

    name = "scheduler"

    def __init__(self, on_jump: Callable[[], None]) -> None:
        """`on_jump` is called when the clock of the machine jumped, set by somebody or because the machine slept: then
        everybody shall say anew when to be woken."""
        self._clock = _WallClock(
            on_jump,
            timezone=UTC,
            executors={"default": DebugExecutor()},  # in the scheduler's own thread: a wake takes no time
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )

    def run(self) -> None:
        """Works until stopped."""
        self._clock.start()

    def stop(self) -> None:
        """Has `run` return. From any thread."""
        self._clock.shutdown()

    def at(self, name: str, instant: int | None, wake: Callable[[], None]) -> None:
        """Has `wake` called at an instant (us), at once if it has passed, instead of when `name` was to be woken
        before; None: not at all. From any thread, one for a name; before `run`, too."""
        if instant is None:
            with suppress(JobLookupError):
                self._clock.remove_job(name)
            return
        farthest = (now_us() // DAY + FARTHEST_DAYS) * DAY
        moment = _EPOCH + timedelta(microseconds=max(0, min(instant, farthest) - shift_us()))
        job = self._clock.get_job(name)
        if job is None or job.trigger.run_date != moment:
            self._clock.add_job(wake, DateTrigger(moment, UTC), id=name, replace_existing=True)


class _WallClock(BaseScheduler):  # type: ignore[misc]
    """APScheduler's own loop, which sleeps on the wall clock. Theirs sleeps on the monotonic one, which stands still
    while the machine sleeps and does not know when the clock is set."""

    def __init__(self, on_jump: Callable[[], None], **options: Any) -> None:
        super().__init__(**options)
        self._on_jump = on_jump
        self._alarm = Alarm()
        self._stopped = False

    def start(self) -> None:
        super().start()
        while not self._stopped:
            seconds = self._process_jobs()
            if self._alarm.wait(None if seconds is None else machine_us() + round(seconds * 1e6)):
                self._on_jump()
        super().shutdown()

    def shutdown(self, wait: bool = True) -> None:
        """Asks `start` to return; the rest is its business."""
        self._stopped = True
        self._alarm.wake()

    def wakeup(self) -> None:
        self._alarm.wake()
