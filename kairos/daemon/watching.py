"""Runs one sensing thread per watched repository; repositories may be added and removed while the daemon runs."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from copy import copy

from kairos.daemon.component import Component
from kairos.daemon.duties import Duties, Enduring
from kairos.daemon.folded import World
from kairos.daemon.presence import RepoStatus
from kairos.daemon.salt import salt_of
from kairos.errors import KairosError, TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import Fence
from kairos.eventlog.views.repositories import Repository
from kairos.home import Home
from kairos.sensing.sensor import Sensor
from kairos.sensing.sweeping import SweepTurns
from kairos.settings import Config

logger = logging.getLogger(__name__)

RETRY_S = 2.0
RESTART_MOST_S = 60.0
GRACE_S = 5.0
"""Seconds a step may continue after it was asked to end; the whole daemon has ten seconds."""
LOOK_S = 5.0
"""Seconds between checks for a shared log's repositories on this disk, since a directory may have come back."""


class _Sensing:
    """The sensor of one repository, its thread, and the fences of its appends."""

    def __init__(self, repo: Repository, fences: tuple[Fence, ...]) -> None:
        self.repo = repo
        self.fences = fences
        self.armed = threading.Event()
        self.ending = threading.Event()
        self._sensor: Sensor | None = None
        self._lock = threading.Lock()
        self.thread: threading.Thread | None = None

    def ask_to_end(self) -> None:
        """Makes the sensor end after its present step."""
        self.ending.set()
        self.wake()

    def wake(self) -> None:
        """Ends the sensor's present step, or the next."""
        with self._lock:
            if self._sensor is not None:
                self._sensor.wake()

    def end(self) -> None:
        """Ends the sensor after its present step; interrupts a step in which git does not respond."""
        self.ask_to_end()
        if self.thread is not None:
            self.thread.join(GRACE_S)
            with self._lock:
                if self._sensor is not None:
                    self._sensor.break_off()
            self.thread.join()

    @contextmanager
    def using(self, sensor: Sensor) -> Iterator[None]:
        """Registers the sensor, so that it can be woken, and closes it at the end."""
        with self._lock:
            self._sensor = sensor
        try:
            yield
        finally:
            with self._lock:
                self._sensor = None
                sensor.close()


class Watching(Component):
    """Keeps a `Sensor` running for each trusted repository that this daemon holds, and publishes their status."""

    name = "watching"
    wakes = frozenset({"RepoTrusted", "BaselineRecorded", "RepoUnwatched"})

    def __init__(
        self,
        home: Home,
        config: Config,
        log: Log,
        world: World,
        duties: Duties,
        guard: Callable[[Callable[[], None]], None],
        publish: Callable[[list[RepoStatus]], None],
        on_armed: Callable[[], None],
        report: Callable[[str], None],
    ) -> None:
        """`on_armed` is called whenever all repositories are being watched, which can be late while a disk is full."""
        super().__init__(log, world, duties.held)
        self._home = home
        self._config = config
        self._duties = duties
        self._guard = guard
        self._publish = publish
        self._on_armed = on_armed
        self._report = report
        self._lock = threading.Lock()
        self._sensing: dict[str, _Sensing] = {}
        self._statuses: dict[str, RepoStatus] = {}
        self._unshown = False
        self._salt = salt_of(log, home)
        self._turns = SweepTurns()

    def stop(self) -> None:
        """Makes every sensor end after its present step, also one that cannot arm while the server is unreachable."""
        super().stop()
        with self._lock:
            sensing_now = list(self._sensing.values())
        for sensing in sensing_now:
            sensing.ask_to_end()

    def clock_jumped(self) -> None:
        """Makes every sensor check whether the machine slept. Called from any thread: an idle sensor has no timeout
        of its own by which it would notice."""
        with self._lock:
            sensing_now = list(self._sensing.values())
        for sensing in sensing_now:
            sensing.wake()

    def close(self) -> None:
        """Ends every sensor; returns when the last thread has ended."""
        for repo_id in list(self._sensing):
            self._end(repo_id)
        super().close()

    def catch_up(self) -> int:
        here = super().catch_up()
        self._reconcile()
        self.show()
        self._on_armed()
        return here

    def step(self) -> float | None:
        """Starts and ends sensors as repositories are trusted or withdrawn and as leases are gained or lost."""
        self._reconcile()
        if self._unshown:
            self.show()
        return RETRY_S if self._unshown else LOOK_S if self._log.shared else None

    def _reconcile(self) -> None:
        """Makes the set of sensors match the repositories that this daemon should watch now."""
        with self._world.reading() as views:
            watched = [copy(r) for r in views.repos.watched()]  # each sensor gets a copy: a fold modifies it in place
        wanted = {r.id: r for r in self._duties.choose(watched)}
        fences = {i: self._duties.fences(i) for i in wanted}
        for repo_id, sensing in list(self._sensing.items()):
            if repo_id not in wanted or sensing.fences != fences[repo_id]:
                self._end(repo_id)
        begun = [self._begin(repo, fences[i]) for i, repo in wanted.items() if i not in self._sensing]
        for sensing in begun:
            sensing.armed.wait()
        if begun:
            self.show()

    def _begin(self, repo: Repository, fences: tuple[Fence, ...]) -> _Sensing:
        """Starts a sensor in its own thread, which signals when it is armed (or has failed)."""
        sensing = _Sensing(repo, fences)
        with self._lock:
            self._sensing[repo.id] = sensing
            if self.stopped:
                sensing.ending.set()
        sensing.thread = threading.Thread(target=self._guard, args=(lambda: self._sense(sensing),), name=repo.id)
        sensing.thread.start()
        return sensing

    def _end(self, repo_id: str) -> None:
        self._sensing.pop(repo_id).end()
        self._statuses.pop(repo_id, None)
        self.show()

    def _sense(self, sensing: _Sensing) -> None:
        """Runs sensors until this daemon no longer holds the repository. If the result of an append is unknown, the
        sensor is replaced by a new one that compares everything again."""
        try:
            endure = Enduring(self._log, self._duties.held, logger.warning, sensing.ending)
            endure.run(lambda: self._supervise(sensing))
        finally:
            sensing.armed.set()

    def _supervise(self, sensing: _Sensing) -> None:
        """Restarts a sensor after an unexpected error, so that one repository never ends the watching of others. Errors
        of the log and the leases are passed to the caller."""
        wait = RETRY_S
        while not sensing.ending.is_set():
            begun = time.monotonic()
            try:
                self._watch(sensing)
            except KairosError:
                raise
            except Exception as error:  # noqa: BLE001  # reported whole, shown in the status, and tried again
                self._report(f"{sensing.repo.root} is not watched for now:\n{traceback.format_exc()}")
                self._note(sensing, _broken(sensing.repo, error))
                sensing.armed.set()
                wait = RETRY_S if time.monotonic() - begun > RESTART_MOST_S else min(RESTART_MOST_S, 2 * wait)
                sensing.ending.wait(wait)

    def _watch(self, sensing: _Sensing) -> None:
        log = open_log(self._home)
        sensor = Sensor(log, sensing.repo, self._config.watching, self._home.roots, salt=self._salt, turns=self._turns)
        with closing(log), log.fenced(sensing.fences), sensing.using(sensor):
            self._patiently(sensing, sensor.arm)
            self._note(sensing, _status(sensor))
            sensing.armed.set()
            while not sensing.ending.is_set():
                self._patiently(sensing, sensor.step)
                self._note(sensing, _status(sensor))

    def _patiently(self, sensing: _Sensing, work: Callable[[], object]) -> None:
        """Repeats a step while the disk is full or the log is busy; no changes are lost meanwhile."""
        while not sensing.ending.is_set():
            try:
                work()
                return
            except TryAgain:
                sensing.ending.wait(RETRY_S)

    def _note(self, sensing: _Sensing, status: RepoStatus) -> None:
        before = self._statuses.get(sensing.repo.id)
        if status != before:
            self._statuses[sensing.repo.id] = status
            if status.state != (before.state if before is not None else "watching"):
                self._report(f"{status.path}: {_in_words(status)}")
            if not self.show():
                self.wake()

    def show(self) -> bool:
        """Publishes the status of each repository; False if the disk is full, in which case it is retried."""
        with self._lock:
            try:
                self._publish(sorted(self._statuses.values(), key=lambda s: s.path))
                self._unshown = False
            except TryAgain:
                self._unshown = True
            return not self._unshown


def _status(sensor: Sensor) -> RepoStatus:
    s = sensor.status()
    return RepoStatus(
        path=s.path, state=s.state, directories=s.directories, watched=s.watched, polled=s.polled, ignored=s.ignored,
        why=". ".join(filter(None, (s.problem, s.remedy))) or None,
    )  # fmt: skip


def _in_words(status: RepoStatus) -> str:
    return "watched again" if status.state == "watching" else f"{status.state}: {status.why or 'no reason is known'}"


def _broken(repo: Repository, error: Exception) -> RepoStatus:
    return RepoStatus(
        path=repo.root, state="degraded", directories=0, watched=0, polled=0, ignored=0,
        why=f"its sensor failed ({type(error).__name__}: {error}) and is started again. Report this: it is a defect of"
        " Kairos; `kairos daemon logs` has the details.",
    )  # fmt: skip
