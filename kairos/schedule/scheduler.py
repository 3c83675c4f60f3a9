"""The scheduler: APScheduler with only its memory store, driven by a wall-clock alarm.

It only calls a function at an instant. What is due then, and whether it already ran, is decided from the log;
therefore an extra wake is harmless, and wakes are not kept across a restart.
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
"""Maximum number of days ahead. A later wake happens at this limit, and the caller must request it again."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Scheduler:
    """Runs in one thread and calls functions at instants of Kairos's clock. `run` returns after `stop`."""

    name = "scheduler"

    def __init__(self, on_jump: Callable[[], None]) -> None:
        """`on_jump` is called after the machine's clock jumped, because it was set or the machine slept. All callers
        must then request their wakes again."""
        self._clock = _WallClock(
            on_jump,
            timezone=UTC,
            executors={"default": DebugExecutor()},  # in the scheduler's own thread: a wake takes almost no time
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )

    def run(self) -> None:
        """Runs until `stop` is called."""
        self._clock.start()

    def stop(self) -> None:
        """Makes `run` return. Can be called from any thread."""
        self._clock.shutdown()

    def at(self, name: str, instant: int | None, wake: Callable[[], None]) -> None:
        """Calls `wake` at an instant (us), or at once if it has passed; replaces the earlier request for `name`. None
        cancels it. Can be called from any thread (always the same one for a name), also before `run`."""
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
    """An APScheduler loop that sleeps on the wall clock. APScheduler's own loops sleep on the monotonic clock, which
    stops while the machine sleeps and does not notice when the clock is set."""

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
        """Asks `start` to return; `start` itself then shuts the scheduler down."""
        self._stopped = True
        self._alarm.wake()

    def wakeup(self) -> None:
        self._alarm.wake()
