"""The timer thread: APScheduler with its memory store only. What is due, and whether it ran, is the log's word.

The ticks compare wall clocks, so a suspended machine (whose monotonic timers stand still) catches up at the first
tick after it wakes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

TICK_S = 30


class Scheduler:
    """Calls `tick` every 30 s; a tick that is still running is not doubled."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._scheduler = BackgroundScheduler(
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}, timezone="UTC"
        )
        self._scheduler.add_job(tick, "interval", seconds=TICK_S, id="tick")

    def start(self) -> None:
        """Starts the thread."""
        self._scheduler.start()

    def now(self) -> None:
        """Brings the next tick forward to this moment."""
        self._scheduler.modify_job("tick", next_run_time=datetime.now(UTC))

    def stop(self) -> None:
        """Waits for a running tick and ends the thread."""
        self._scheduler.shutdown(wait=True)
