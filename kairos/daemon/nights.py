"""Nightly jobs: dream and compaction, each occurrence run once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo

from kairos.clock import DAY, now_us
from kairos.daemon.component import Component
from kairos.daemon.folded import World
from kairos.domain.amounts import count
from kairos.eventlog.leases import HeldLeases, job_lease
from kairos.eventlog.log import Log
from kairos.home import Home
from kairos.schedule import triggers
from kairos.schedule.children import Child, child_environment
from kairos.schedule.occurrences import REMEMBERED, Job, ScheduleView, run_once, settle_interrupted
from kairos.schedule.scheduler import Scheduler
from kairos.settings import Config, parse_clock

JOBS = ("dream", "compact")


def times(config: Config) -> dict[str, tuple[int, int]]:
    """The nightly jobs that are not switched off, with their local times."""
    found = zip(JOBS, (parse_clock(config.schedule.dream), parse_clock(config.schedule.compact)), strict=True)
    return {job: at for job, at in found if at is not None}


class Nights(Component):
    """Runs the nightly jobs that this daemon holds, one after another. The scheduler wakes it when one is due."""

    name = "nights"

    def __init__(
        self,
        home: Home,
        config: Config,
        log: Log,
        world: World,
        held: HeldLeases,
        zone: Callable[[], tzinfo],
        scheduler: Scheduler,
    ) -> None:
        super().__init__(log, world, held)
        self._home = home
        self._config = config
        self._zone = zone
        self._scheduler = scheduler
        self._child = Child()
        self._back: dict[str, int] = {}
        work = {"dream": self._dream, "compact": self._compact}
        self._jobs = [(job, triggers.daily(at), work[job]) for job, at in times(config).items()]

    def stop(self) -> None:
        """Also ends a running child process; the next occurrence covers its work."""
        super().stop()
        self._child.stop()

    def catch_up(self) -> int:
        """Settles runs that were interrupted, here or in the daemon that held the job before."""
        for job in JOBS:
            fences = self._held.fences(job_lease(job))
            if fences is not None:
                with self._log.fenced(fences):
                    settle_interrupted(self._log, job)
        return super().catch_up()

    def step(self) -> float | None:
        """Runs the jobs that are due, and schedules a wake-up for the next one. Starts no job once stopped."""
        for job, cron, work in self._jobs:
            fences = self._held.fences(job_lease(job))
            if self.stopped or fences is None:
                self._scheduler.at(job, None, self.wake)
                continue
            now, zone = now_us(), self._zone()
            with self._log.fenced(fences):
                self._run_if_due(job, cron, work, now, zone)
            self._scheduler.at(job, triggers.next_instant(cron, now, zone), self.wake)
        return None

    def _run_if_due(self, job: str, cron: triggers.Cron, work: Job, now: int, zone: tzinfo) -> None:
        schedule, _ = ScheduleView().load(self._log)
        done = schedule.done.get(job, [])
        instant = triggers.due(cron, self._floor(job, schedule.begun or now, done, now), done, now, zone)
        if instant is not None:
            run_once(self._log, job, instant, schedule, work)

    def _floor(self, job: str, begun: int, done: Sequence[int], now: int) -> int:
        """The instant up to which occurrences are not run, because they are before the first start or too old to be
        remembered. If the clock was set back before the last finished run, this is the new time of the clock:
        occurrences before it were covered, later ones are due."""
        if now < max([begun, *done[-1:]]):
            self._back[job] = min(now, self._back.get(job, now))
        else:
            self._back.pop(job, None)
        begun = self._back.get(job, begun)
        return max(begun, done[0] if len(done) == REMEMBERED else begun)

    def _dream(self) -> str:
        out = self._child.run("dream", ["--json"], cwd=self._home.data, environment=child_environment(), seconds=3_600)
        return count(len(out.splitlines()), "change") if out.strip() else "nothing new"

    def _compact(self) -> str:
        keep = round(self._config.schedule.keep_hot_days * DAY)
        out = self._child.run(
            "kairos.daemon.compacting", [str(now_us() - keep)],
            cwd=self._home.data, environment=child_environment(), seconds=3_600,
        )  # fmt: skip
        return out.decode().strip()
