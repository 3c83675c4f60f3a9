"""The timer thread: APScheduler with its memory store only. What is due, and whether it ran, is the log's word.

The ticks compare wall clocks, so a suspended machine (whose monotonic timers stand still) catches up at the first
tick after it wakes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

TICK_S = 30


class Scheduler:
    """Calls `tick` every 30 s, one at a time. One that comes while another runs follows it: it may see what the running
    one had already passed over."""

    def __init__(self, tick: Callable[[], None]) -> None:
        # Not max_instances=1: APScheduler drops what comes too early, also just after a tick has ended.
        self._scheduler = BackgroundScheduler(
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 4}, timezone="UTC"
        )
        self._scheduler.add_job(self._run, "interval", seconds=TICK_S, id="tick")
        self._tick = tick
        self._lock = threading.Lock()
        self._running = self._again = False

    def start(self) -> None:
        """Starts the thread."""
        self._scheduler.start()

    def now(self) -> None:
        """Brings the next tick forward to this moment, or to the end of the one that is running."""
        with self._lock:
            if self._running:
                self._again = True
                return
        self._scheduler.modify_job("tick", next_run_time=datetime.now(UTC))

    def _run(self) -> None:
        with self._lock:
            if self._running:
                self._again = True
                return
            self._running = True
        try:
            self._tick()
            while self._is_asked_again():
                self._tick()
        except BaseException:
            self._running = False
            raise

    def _is_asked_again(self) -> bool:
        with self._lock:
            self._running, self._again = self._again, False
            return self._running

    def stop(self) -> None:
        """Waits for a running tick and ends the thread, if it was started."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
