"""Nightly work: dream and compaction, each occurrence once, in the timer's thread with its own log."""

from __future__ import annotations

from datetime import tzinfo

from kairos.clock import DAY, now_us
from kairos.errors import KairosError
from kairos.eventlog.leases import Held, job_lease
from kairos.eventlog.log import Log
from kairos.eventlog.record import Fence
from kairos.home import Home
from kairos.schedule.children import Child, child_environment
from kairos.schedule.occurrences import ScheduleView, run_if_due, settle_interrupted
from kairos.settings import Config, parse_clock

JOBS = ("dream", "compact")


def jobs(config: Config) -> set[str]:
    """The nightly jobs that a person did not switch off."""
    times = (config.schedule.dream, config.schedule.compact)
    return {job for job, at in zip(JOBS, times, strict=True) if at}


class Nights:
    """Asked at every tick whether something is due. Not thread-safe: one tick at a time."""

    def __init__(self, home: Home, config: Config, zone: tzinfo, held: Held) -> None:
        self._held = held
        self._settled: dict[str, tuple[Fence, ...]] = {}
        self._home = home
        self._config = config
        self._zone = zone
        self._child = Child()
        self._log = Log.of(home)
        self._begun = ScheduleView().load(self._log)[0].begun or now_us()
        for job in JOBS:
            self._settle(job)

    def tick(self) -> None:
        """Runs what is due, one after another; nothing more is begun once stopped."""
        schedule = self._config.schedule
        for job, at, work in (("dream", schedule.dream, self._dream), ("compact", schedule.compact, self._compact)):
            if self._child.stopped or not self._settle(job):
                continue
            try:
                run_if_due(self._log, job, parse_clock(at), self._begun, self._zone, work)
            except KairosError:
                self._settled.pop(job, None)  # whether it has its outcome is to be asked again
                raise

    def _settle(self, job: str) -> bool:
        """Whether this daemon holds a job. What was cut short, here or by whoever held it before, is settled first."""
        fences = self._held.fences(job_lease(job))
        if fences is None:
            return False
        self._log.fences = fences
        if self._settled.get(job) != fences:
            settle_interrupted(self._log, job)
            self._settled[job] = fences
        return True

    def stop(self) -> None:
        """Ends a running child; its work is covered by the next occurrence."""
        self._child.stop()

    def _dream(self) -> str:
        out = self._child.run("dream", ["--json"], cwd=self._home.data, environment=child_environment(), seconds=3_600)
        return f"{len(out.splitlines())} changes" if out.strip() else "nothing new"

    def _compact(self) -> str:
        keep = round(self._config.schedule.keep_hot_days * DAY)
        out = self._child.run(
            "kairos.daemon.compacting", [str(now_us() - keep)],
            cwd=self._home.data, environment=child_environment(), seconds=3_600,
        )  # fmt: skip
        return out.decode().strip()
