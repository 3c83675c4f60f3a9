"""One sensing thread a repository, and what one that fails means for the others: nothing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos.daemon.duties import Duties
from kairos.daemon.folded import World
from kairos.daemon.presence import RepoStatus
from kairos.daemon.watching import Watching
from kairos.domain.events import FilesChanged, RepoTrusted
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.repositories import RepositoriesView, repository_id
from kairos.repo.git import Git
from kairos.sensing.baseline import record_baseline
from kairos.sensing.sensor import Sensor
from kairos.settings import Config


class Watched:
    """A `Watching` over repositories of its own; `statuses` as it last published them, `said` what it reported."""

    def __init__(self, home: Any, log: Log) -> None:
        self.home, self.log = home, log
        self.statuses: dict[str, RepoStatus] = {}
        self.said: list[str] = []
        self.ended: list[BaseException] = []
        self._changed = threading.Condition()
        self._watching: Watching | None = None

    def trust(self, root: Path) -> None:
        found = root.stat()
        repo = repository_id(found.st_dev, found.st_ino, str(root))
        trusted = RepoTrusted(repo=repo, root=str(root), dev=found.st_dev, ino=found.st_ino, by="test")
        self.log.append([NewEvent(repo, trusted, None, "user")])
        record_baseline(self.log, RepositoriesView().load(self.log)[0].by_id[repo], Git(root))

    def start(self) -> None:
        ready = threading.Event()
        duties = Duties(self.log, 15.0, (), lambda: None)
        self._worlds = open_log(self.home)
        world = World(self._worlds)
        world.load()
        made = Watching(
            self.home, Config(), open_log(self.home), world, duties, self._guard, self._publish, ready.set,
            self.said.append,
        )  # fmt: skip
        self._watching = made
        self._thread = threading.Thread(target=self._guard, args=(made.run,), name=made.name)
        self._thread.start()
        assert ready.wait(30)

    def until(self, root: Path, state: str) -> RepoStatus:
        with self._changed:
            assert self._changed.wait_for(lambda: self._state(root) == state, 30), (self.statuses, self.said)
            return self.statuses[str(root)]

    def _state(self, root: Path) -> str:
        found = self.statuses.get(str(root))
        return "" if found is None else found.state

    def close(self) -> None:
        if self._watching is not None:
            self._watching.stop()
            self._thread.join(30)
            self._watching.close()
            self._worlds.close()
            self._watching = None

    def _publish(self, statuses: list[RepoStatus]) -> None:
        with self._changed:
            self.statuses = {s.path: s for s in statuses}
            self._changed.notify_all()

    def _guard(self, work: Any) -> None:
        try:
            work()
        except BaseException as error:  # what would end the daemon
            self.ended.append(error)


@pytest.fixture
def watched(home: Any, log: Log) -> Iterator[Watched]:
    made = Watched(home, log)
    yield made
    made.close()


def test_a_sensor_that_a_defect_ends_is_started_again_and_the_others_go_on(
    watched: Watched, repo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = type(repo)(tmp_path / "other")
    other.root.mkdir()
    other.git("init", "-q")
    for root in (repo.root, other.root):
        watched.trust(root)
    monkeypatch.setattr("kairos.daemon.watching.RETRY_S", 0.05)
    begin, broken = Sensor.arm, [True]

    def arm(sensor: Sensor) -> int:
        if broken[0] and sensor.status().path == str(repo.root):
            raise ValueError("no such thing")
        return begin(sensor)

    monkeypatch.setattr(Sensor, "arm", arm)
    watched.start()
    status = watched.until(repo.root, "degraded")
    assert status.why is not None and "ValueError: no such thing" in status.why
    assert any("Traceback" in text for text in watched.said)
    watched.until(other.root, "watching")
    other.write("a", "1")
    broken[0] = False
    watched.until(repo.root, "watching")
    watched.close()
    assert watched.ended == []
    assert [c.fs for r in watched.log.read(topics={"FilesChanged"}) if isinstance(r.event, FilesChanged)
            for c in r.event.changes][-1:] == ["a"]  # fmt: skip


def test_a_repository_in_which_git_hangs_ends_with_the_others(
    watched: Watched, repo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.trust(repo.root)
    monkeypatch.setattr("kairos.daemon.watching.GRACE_S", 0.1)
    watched.start()
    begun = tmp_path / "begun"
    hanging = tmp_path / "bin" / "git"
    hanging.parent.mkdir()
    hanging.write_text(f"#!/bin/sh\ntouch {begun}\nexec sleep 600\n")
    hanging.chmod(0o755)
    monkeypatch.setenv("PATH", f"{hanging.parent}:{os.environ['PATH']}")
    (repo.root / ".git/HEAD").touch()
    while not begun.exists():
        time.sleep(0.01)
    watched.close()
    assert watched.ended == []
