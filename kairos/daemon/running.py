"""Running the daemon: claim the home, arm the sensors, start the threads, say ready, drain on a signal."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable
from typing import Protocol

from kairos import clock
from kairos._version import VERSION
from kairos.acting.scratch_home import sweep
from kairos.daemon.asked import Asked
from kairos.daemon.baseline import is_listed, list_baseline_findings
from kairos.daemon.bench import Bench
from kairos.daemon.modelling import Modeller
from kairos.daemon.nights import Nights
from kairos.daemon.presence import RepoStatus, Status, claim, publish
from kairos.daemon.priming import prime
from kairos.daemon.reactor import Reactor
from kairos.daemon.watching import Watching
from kairos.domain.events import DaemonStarted, DaemonStopped
from kairos.errors import KairosError
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views import RepositoriesView
from kairos.schedule.scheduler import Scheduler
from kairos.settings import Config, Home

Report = Callable[[str], None]


def run(
    home: Home, config: Config, *, on_ready: Callable[[], None], report: Report, on_delivery: Report | None = None
) -> int:
    """The whole life of a daemon; returns the exit code. Locked (11) if another has the home.

    `report` gets lines for a person who looks at stderr; `on_delivery` the id of each delivered proposal."""
    with claim(home):
        return _Daemon(home, config, report, on_delivery).run(on_ready)


class Worker(Protocol):
    """A thread's work: `run` returns after `stop`."""

    def run(self) -> None: ...
    def stop(self) -> None: ...


class _Daemon:
    def __init__(self, home: Home, config: Config, report: Report, on_delivery: Report | None) -> None:
        self._home = home
        self._config = config
        self._report = report
        self._asked = Asked()
        self._failed: int | None = None
        prime()
        zone = clock.local_zone()
        sweep(home.scratch)
        self._log = Log(home.log)
        self._log.refuse_unknown()
        self._log.append([NewEvent("daemon", DaemonStarted(program=VERSION, pid=os.getpid()), None, "system")])
        self._watching = Watching(home, config, self._publish, self._guard)
        self._reactor = Reactor(home, config, Log(home.log), zone, on_delivery)
        self._bench = Bench(home, config, Log(home.log), report)
        self._modeller = Modeller(home, config, Log(home.log), zone) if config.model.name else None
        self._nights = Nights(home, config, zone)
        self._scheduler = Scheduler(self._tick)

    def run(self, on_ready: Callable[[], None]) -> int:
        for repo in RepositoriesView().load(self._log)[0].watched():
            if not repo.lost and not is_listed(self._log, repo.id):  # init was killed before it came to that
                list_baseline_findings(self._log, repo, self._home.salt())
        self._watching.start()
        workers: list[Worker] = [self._reactor, self._bench, *([self._modeller] if self._modeller else [])]
        threads = [
            threading.Thread(target=self._guard, args=(worker.run,), name=type(worker).__name__.lower())
            for worker in workers
        ]
        for thread in threads:
            thread.start()
        self._scheduler.start()
        try:
            on_ready()
            self._scheduler.now()
            while self._asked.next():
                self._scheduler.now()
        finally:  # the lock on the home must not be let go before the last thread
            self._watching.stop()
            for worker in workers:
                worker.stop()
            self._nights.stop()
            self._scheduler.stop()
            for thread in threads:
                thread.join()
        self._log.append([NewEvent("daemon", DaemonStopped(pid=os.getpid()), None, "system")])
        return self._failed or 0

    def _guard(self, work: Callable[[], None]) -> None:
        """Runs a thread's work. What it cannot handle ends the whole daemon: half an assistant is worse than a
        restart, and every promise is kept by starting again from the log."""
        try:
            work()
        except KairosError as error:
            self._report(f"error: {error.message}\n  {error.hint}")
            self._failed = error.code
        except BaseException:  # noqa: BLE001  # reported whole, and it ends the daemon
            self._report(traceback.format_exc())
            self._failed = 1
        if self._failed is not None:
            self._asked.stop()

    def _tick(self) -> None:
        self._reactor.tick()
        self._guard(self._nights.tick)

    def _publish(self, repos: list[RepoStatus]) -> None:
        publish(self._home, Status(pid=os.getpid(), program=VERSION, repos=repos))
