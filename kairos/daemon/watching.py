"""One sensing thread per watched repository; repositories may come and go while the daemon runs."""

from __future__ import annotations

import threading
from collections.abc import Callable

from kairos.daemon.presence import RepoStatus
from kairos.errors import TryAgain
from kairos.eventlog.follow import Follower
from kairos.eventlog.log import Log
from kairos.eventlog.views import RepositoriesView, Repository
from kairos.sensing.sensor import Sensor
from kairos.settings import Config, Home

RETRY_S = 2.0


class Watching:
    """Keeps a `Sensor` running for each trusted repository, and publishes their status."""

    def __init__(
        self,
        home: Home,
        config: Config,
        publish: Callable[[list[RepoStatus]], None],
        guard: Callable[[Callable[[], None]], None],
    ) -> None:
        self._home = home
        self._config = config
        self._publish = publish
        self._guard = guard
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._sensors: dict[str, tuple[Sensor, threading.Thread]] = {}
        self._statuses: dict[str, RepoStatus] = {}
        self._log = Log(home.log)
        self._follower = Follower(self._log, 0)
        self._changes = threading.Thread(target=guard, args=(self._follow,), name="repositories")

    def start(self) -> None:
        """Arms every sensor; returns when watching has begun everywhere."""
        state, position = RepositoriesView().load(self._log)
        for armed in [self._begin(repo) for repo in state.watched()]:
            armed.wait()
        self._follower.position = position
        self._show()
        self._changes.start()

    def stop(self) -> None:
        """Ends every sensor after its present step."""
        self._stopping.set()
        self._follower.stop()
        self._changes.join()
        for repo_id in list(self._sensors):
            self._end(repo_id)

    def _begin(self, repo: Repository) -> threading.Event:
        """Starts a sensor in its own thread; the event is set once it is armed (or has failed)."""
        sensor = Sensor(Log(self._home.log), repo, self._config.watching, self._home.roots)
        armed = threading.Event()
        thread = threading.Thread(target=self._guard, args=(lambda: self._sense(repo.id, sensor, armed),), name=repo.id)
        self._sensors[repo.id] = (sensor, thread)
        thread.start()
        return armed

    def _end(self, repo_id: str) -> None:
        sensor, thread = self._sensors.pop(repo_id)
        sensor.wake()
        thread.join()
        self._statuses.pop(repo_id, None)

    def _sense(self, repo_id: str, sensor: Sensor, armed: threading.Event) -> None:
        try:
            self._patiently(sensor.arm)
            self._note(repo_id, sensor)
            armed.set()
            while not self._stopping.is_set() and repo_id in self._sensors:
                self._patiently(sensor.step)
                self._note(repo_id, sensor)
        finally:
            armed.set()
            sensor.close()

    def _patiently(self, work: Callable[[], object]) -> None:
        """Does a step again while the disk is full or the log busy; nothing is lost meanwhile."""
        while not self._stopping.is_set():
            try:
                work()
                return
            except TryAgain:
                self._stopping.wait(RETRY_S)

    def _note(self, repo_id: str, sensor: Sensor) -> None:
        status = _status(sensor)
        if status != self._statuses.get(repo_id):
            self._statuses[repo_id] = status
            self._show()

    def _follow(self) -> None:
        """Begins and ends sensors as people trust and withdraw repositories."""
        for recorded in self._follower:
            if recorded.topic not in ("RepoTrusted", "BaselineRecorded", "RepoUnwatched"):
                continue
            state, _ = RepositoriesView().load(self._log)
            wanted = {r.id: r for r in state.watched()}
            for repo_id in [i for i in self._sensors if i not in wanted]:
                self._end(repo_id)
            for repo_id, repo in wanted.items():
                if repo_id not in self._sensors:
                    self._begin(repo).wait()
            self._show()

    def _show(self) -> None:
        with self._lock:
            self._publish(sorted(self._statuses.values(), key=lambda s: s.path))


def _status(sensor: Sensor) -> RepoStatus:
    s = sensor.status()
    return RepoStatus(
        path=s.path, state=s.state, directories=s.directories, watched=s.watched, polled=s.polled, ignored=s.ignored
    )
