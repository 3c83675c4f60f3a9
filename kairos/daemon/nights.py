"""Nightly work: dream and compaction, each occurrence once."""

from __future__ import annotations

from datetime import tzinfo

from kairos.clock import DAY, now_us
from kairos.daemon.component import Component
from kairos.daemon.folded import World
from kairos.eventlog.leases import Held, job_lease
from kairos.eventlog.log import Log
from kairos.home import Home
from kairos.schedule.children import Child, child_environment
from kairos.schedule.occurrences import ScheduleView, run_if_due, settle_interrupted
from kairos.settings import Config, parse_clock

JOBS = ("dream", "compact")


def jobs(config: Config) -> set[str]:
    """The nightly jobs that a person did not switch off."""
    times = (config.schedule.dream, config.schedule.compact)
    return {job for job, at in zip(JOBS, times, strict=True) if at}


class Nights(Component):
    """Runs the nightly jobs that this daemon holds, one after another. Woken when one may be due."""

    name = "nights"

    def __init__(self, home: Home, config: Config, log: Log, world: World, held: Held, zone: tzinfo) -> None:
        super().__init__(log, world, held)
        self._home = home
        self._config = config
        self._zone = zone
        self._child = Child()

    def stop(self) -> None:
        """Ends a running child, too; its work is covered by the next occurrence."""
        super().stop()
        self._child.stop()

    def catch_up(self) -> int:
        """Settles what was cut short, here or by whoever held the job before."""
        self._begun = ScheduleView().load(self._log)[0].begun or now_us()
        for job in JOBS:
            fences = self._held.fences(job_lease(job))
            if fences is not None:
                with self._log.fenced(fences):
                    settle_interrupted(self._log, job)
        return super().catch_up()

    def step(self) -> float | None:
        schedule = self._config.schedule
        for job, at, work in (("dream", schedule.dream, self._dream), ("compact", schedule.compact, self._compact)):
            fences = self._held.fences(job_lease(job))
            if not self.stopped and fences is not None:
                with self._log.fenced(fences):
                    run_if_due(self._log, job, parse_clock(at), self._begun, self._zone, work)
        return None

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
