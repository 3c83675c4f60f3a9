"""Runs the daemon: claims the home, arms the sensors, starts the threads, reports ready, drains on a signal."""

from __future__ import annotations

import logging
import os
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial

from kairos import clock
from kairos._version import VERSION
from kairos.acting.scratch_home import sweep
from kairos.daemon.checking import Checking
from kairos.daemon.component import Component
from kairos.daemon.daemon_log import READY, DaemonLog, DaemonLogHandler
from kairos.daemon.duties import Duties, Enduring
from kairos.daemon.executing import Executing
from kairos.daemon.first_findings import is_listed, list_baseline_findings
from kairos.daemon.folded import World
from kairos.daemon.following import Following
from kairos.daemon.log_watching import LogWatching
from kairos.daemon.modelling import Modelling
from kairos.daemon.nights import Nights, times
from kairos.daemon.presence import RepoStatus, Status, claim, publish
from kairos.daemon.priming import prime
from kairos.daemon.reactor import Reactor
from kairos.daemon.rostering import Rostering
from kairos.daemon.salt import salt_of
from kairos.daemon.signals import Asked
from kairos.daemon.watching import Watching
from kairos.detectors.roster import Roster
from kairos.domain.amounts import count
from kairos.domain.events import DaemonStarted, DaemonStopped
from kairos.errors import KairosError, TryAgain
from kairos.eventlog.leases import fences_of
from kairos.eventlog.log import Clean
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.log_views import log_views
from kairos.eventlog.views.projection import keep_views
from kairos.home import Home
from kairos.repo.git import GitError
from kairos.schedule.scheduler import Scheduler
from kairos.settings import Config

Report = Callable[[str], None]


def run(
    home: Home,
    config: Config,
    clean: Clean,
    *,
    on_ready: Callable[[], None],
    report: Report,
) -> int:
    """Runs a daemon until it ends; returns the exit code. Locked (11) if another daemon holds the home.

    `clean` removes from the home what `forget` erased from the log. `report` gets messages for stderr."""
    with claim(home), closing(DaemonLog(home.daemon_log)) as own:

        def tell(text: str) -> None:
            own.note(text)
            if not own.has_streams:
                report(text)

        def ready() -> None:
            own.note(READY)
            if not own.has_streams:
                on_ready()

        with _logged(tell):
            try:
                return _Daemon(home, config, clean, tell, own.note).run(ready)
            except Exception as error:
                own.note(f"ended: {type(error).__name__}: {error}")
                raise


@contextmanager
def _logged(tell: Report) -> Iterator[None]:
    """Passes on what is logged by Python's logging meanwhile."""
    handler, to = DaemonLogHandler(tell), logging.getLogger()
    to.addHandler(handler)
    try:
        yield
    finally:
        to.removeHandler(handler)


class _Daemon:
    """The components of a daemon, each in a thread of its own that is restarted after log or lease failures."""

    def __init__(self, home: Home, config: Config, clean: Clean, report: Report, note: Report) -> None:
        """`report` gets what a person must know, `note` what is only written to the daemon's own log."""
        self._note = note
        self._home = home
        self._config = config
        self._report = report
        self._asked = Asked()
        self._failed: int | None = None
        if home.status_file.exists():
            note("the daemon before this one ended without stopping: it was killed, or the machine went down")
        note(f"started: version {VERSION}, home {home.data}")
        prime()
        sweep(home.scratch)
        self._log = open_log(home, clean)
        self._log.refuse_unknown()
        self._log.append([NewEvent("daemon", DaemonStarted(program=VERSION, pid=os.getpid()), None, "system")])
        self._duties = Duties(self._log, config.log.lease_seconds, times(config), self._changed)
        self._enduring = Enduring(self._log, self._duties.held, report)
        self._world = World(open_log(home))
        self._scheduler = Scheduler(self._look)
        self._make()
        self._threads: dict[str, threading.Thread] = {}

    def _make(self) -> None:
        """Creates the components."""
        home, config, world, held = self._home, self._config, self._world, self._duties.held
        zone, scheduler = clock.local_zone, self._scheduler
        self._following = Following(open_log(home), world)
        self._watching = Watching(
            home, config, open_log(home), world, self._duties, self._guard, self._publish, self._asked.go_on,
            self._report,
        )  # fmt: skip
        self._reactor = Reactor(home, config, open_log(home), world, held, zone, scheduler)
        self._nights = Nights(home, config, open_log(home), world, held, zone, scheduler)
        self._components: list[Component] = [
            self._watching,
            self._reactor,
            Executing(home, config, open_log(home), world, held, self._report),
            Checking(home, config, open_log(home), world, held, self._report),
            LogWatching(home, config, open_log(home), world, held, self._report),
            *([Modelling(home, config, open_log(home), world, held, zone)] if config.model.name else []),
            self._nights,
        ]

    def _roster(self) -> Roster:
        with self._world.reading() as views:
            return Rostering(self._home)(views.roster)

    def run(self, on_ready: Callable[[], None]) -> int:
        try:
            return self._run(on_ready)
        finally:
            self._duties.stop()

    def _run(self, on_ready: Callable[[], None]) -> int:
        if not self._log.shared:  # a long fold that an earlier version did not know is saved in parts, not held whole
            keep_views(self._log, [view for view in log_views() if view.at_once])
        self._world.load()
        with self._world.reading() as views:
            watched = views.repos.watched()
        self._note(f"watches {count(len(watched), 'repository', 'repositories')}: {', '.join(r.root for r in watched)}")
        mine = self._duties.choose(watched)
        self._duties.start()
        for repo in mine:
            if not repo.lost and not is_listed(self._log, repo.id):  # init was killed before it listed them
                # If the repository cannot be read, its sensor reports it, and the next start tries again.
                with suppress(GitError), self._log.fenced(fences_of(self._duties.held, [repo.id])):
                    list_baseline_findings(self._log, repo, salt_of(self._log, self._home), self._roster())
        try:
            self._start(self._following)
            self._start(self._watching)
            if self._asked.waited():
                for component in self._components:
                    self._start(component)
                self._start(self._scheduler)
                on_ready()
                while self._asked.next():
                    self._look()
        finally:  # the lock on the home must not be released before the last thread ends
            self._stop()
        self._say_stopped()
        self._note("stopped" if self._failed is None else f"stopped after an error, exit code {self._failed}")
        return self._failed or 0

    def _start(self, component: Component | Following | Scheduler) -> None:
        if component.name not in self._threads:
            alone = isinstance(component, Component) and component.alone
            work = partial(self._enduring.run, component.run, alone=alone)
            self._threads[component.name] = threading.Thread(target=self._guard, args=(work,), name=component.name)
            self._threads[component.name].start()

    def _stop(self) -> None:
        """Asks all threads to end, and returns when they have ended."""
        self._enduring.stop()
        for component in self._components:
            component.stop()
        self._following.stop()
        self._scheduler.stop()
        for thread in self._threads.values():
            thread.join()
        for component in self._components:
            component.close()
        self._following.close()

    def _say_stopped(self) -> None:
        try:
            self._log.append([NewEvent("daemon", DaemonStopped(pid=os.getpid()), None, "system")])
        except TryAgain as error:
            self._report(f"{error.message}; the shutdown could not be recorded")

    def _changed(self) -> None:
        """Wakes all components because the held leases have changed. Called from any thread."""
        for component in self._components:
            component.wake()

    def _guard(self, work: Callable[[], None]) -> None:
        """Runs a thread's work. An unhandled error ends the whole daemon instead of leaving it running in part: a
        restart recovers everything from the log."""
        try:
            work()
        except KairosError as error:
            self._report(f"error: {error.message}\n  {error.hint}")
            self._failed = error.code
        except BaseException:  # noqa: BLE001  # reported whole, and it ends the daemon
            self._report(f"{threading.current_thread().name} failed:\n{traceback.format_exc()}")
            self._failed = 1
        if self._failed is not None:
            self._asked.stop()

    def _look(self) -> None:
        """Makes every component check what is due by now and schedule its wake-ups again. Called when a person asks or
        the clock jumped."""
        self._reactor.tick()
        self._nights.wake()
        self._watching.clock_jumped()

    def _publish(self, repos: list[RepoStatus]) -> None:
        publish(self._home, Status(pid=os.getpid(), program=VERSION, repos=repos))
