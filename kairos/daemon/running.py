"""Running the daemon: claim the home, arm the sensors, start the threads, say ready, drain on a signal."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from kairos import clock
from kairos._version import VERSION
from kairos.acting.scratch_home import sweep
from kairos.daemon.asked import Asked
from kairos.daemon.baseline import is_listed, list_baseline_findings
from kairos.daemon.bench import Bench
from kairos.daemon.duties import Duties, Enduring
from kairos.daemon.modelling import Modeller
from kairos.daemon.nights import Nights, jobs
from kairos.daemon.presence import RepoStatus, Status, claim, publish
from kairos.daemon.priming import prime
from kairos.daemon.reactor import Reactor
from kairos.daemon.salting import salt_of
from kairos.daemon.traces import cleaned_with
from kairos.daemon.watching import Watching
from kairos.domain.events import DaemonStarted, DaemonStopped
from kairos.errors import KairosError, TryAgain
from kairos.eventlog.leases import fence
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views import RepositoriesView
from kairos.home import Home
from kairos.schedule.scheduler import Scheduler
from kairos.settings import Config

Report = Callable[[str], None]


def run(
    home: Home, config: Config, *, on_ready: Callable[[], None], report: Report, on_delivery: Report | None = None
) -> int:
    """The whole life of a daemon; returns the exit code. Locked (11) if another has the home.

    `report` gets lines for a person who looks at stderr; `on_delivery` the id of each delivered proposal."""
    with claim(home):
        return _Daemon(home, config, report, on_delivery).run(on_ready)


class Worker(Protocol):
    """A thread's work: `run` returns after `stop`, and may be begun again after an error; `wake` has it look anew."""

    def run(self) -> None: ...
    def wake(self) -> None: ...
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
        self._log = cleaned_with(Log.of(home), home)
        self._log.refuse_unknown()
        self._log.append([NewEvent("daemon", DaemonStarted(program=VERSION, pid=os.getpid()), None, "system")])
        self._duties = Duties(self._log, config.log.lease_seconds, jobs(config), self._changed)
        held = self._duties.held
        self._enduring = Enduring(self._log, held, report)
        self._watching = Watching(home, config, self._publish, self._guard, self._duties, report)
        self._reactor = Reactor(home, config, Log.of(home), zone, on_delivery, held)
        self._bench = Bench(home, config, Log.of(home), report, held)
        self._modeller = Modeller(home, config, Log.of(home), zone, held) if config.model.name else None
        self._nights = Nights(home, config, zone, held)
        self._scheduler = Scheduler(self._tick)
        self._workers: list[Worker] = [self._reactor, self._bench, *([self._modeller] if self._modeller else [])]

    def run(self, on_ready: Callable[[], None]) -> int:
        try:
            return self._run(on_ready)
        finally:
            self._duties.stop()

    def _run(self, on_ready: Callable[[], None]) -> int:
        mine = self._duties.choose(RepositoriesView().load(self._log)[0].watched())
        self._duties.start()
        for repo in mine:
            if not repo.lost and not is_listed(self._log, repo.id):  # init was killed before it came to that
                fence(self._log, self._duties.held, [repo.id])
                list_baseline_findings(self._log, repo, salt_of(self._log, self._home))
        self._log.fences = ()
        workers = self._workers
        threads = [
            threading.Thread(target=self._guard, args=(self._endure(worker),), name=type(worker).__name__.lower())
            for worker in workers
        ]
        self._watching.start(self._asked.go_on)
        try:
            if self._asked.waited():
                for thread in threads:
                    thread.start()
                self._scheduler.start()
                on_ready()
                self._scheduler.now()
                while self._asked.next():
                    self._scheduler.now()
        finally:  # the lock on the home must not be let go before the last thread
            self._enduring.stop()
            self._watching.stop()
            for worker in workers:
                worker.stop()
            self._nights.stop()
            self._scheduler.stop()
            for thread in filter(lambda thread: thread.ident, threads):
                thread.join()
        self._say_stopped()
        return self._failed or 0

    def _say_stopped(self) -> None:
        try:
            self._log.append([NewEvent("daemon", DaemonStopped(pid=os.getpid()), None, "system")])
        except TryAgain as error:
            self._report(f"{error.message}; the log does not tell of this end")

    def _endure(self, worker: Worker) -> Callable[[], None]:
        return lambda: self._enduring.run(worker.run)

    def _changed(self) -> None:
        """What this daemon holds has changed: everybody looks. Called from any thread."""
        self._watching.wake()
        for worker in self._workers:
            worker.wake()

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
        self._watching.show()
        self._reactor.tick()
        self._guard(lambda: self._enduring.run(self._nights.tick))

    def _publish(self, repos: list[RepoStatus]) -> None:
        """A full disk does not end the daemon: it is told again at the next tick."""
        with suppress(TryAgain):
            publish(self._home, Status(pid=os.getpid(), program=VERSION, repos=repos))
