"""Nightly work: dream and compaction, each occurrence once, in the timer's thread with its own log."""

from __future__ import annotations

from datetime import tzinfo

from kairos.clock import DAY, now_us
from kairos.eventlog.log import Log
from kairos.schedule.children import Child, child_environment
from kairos.schedule.occurrences import run_if_due, settle_interrupted
from kairos.settings import Config, Home, parse_clock

JOBS = ("dream", "compact")


class Nights:
    """Asked at every tick whether something is due. Not thread-safe: one tick at a time."""

    def __init__(self, home: Home, config: Config, zone: tzinfo) -> None:
        self._home = home
        self._config = config
        self._zone = zone
        self._child = Child()
        self._log = Log(home.log)
        self._begun = next((r.at for r in self._log.read(topics={"DaemonStarted"}, limit=1)), now_us())
        for job in JOBS:
            settle_interrupted(self._log, job)

    def tick(self) -> None:
        """Runs what is due, one after another; nothing more is begun once stopped."""
        schedule = self._config.schedule
        for job, at, work in (("dream", schedule.dream, self._dream), ("compact", schedule.compact, self._compact)):
            if not self._child.stopped:
                run_if_due(self._log, job, parse_clock(at), self._begun, self._zone, work)

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
