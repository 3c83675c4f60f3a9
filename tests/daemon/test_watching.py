"""A sensor for each repository that a person trusts, as long as they do; one that fails means nothing to the others."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos._native import suspend_offset_ns
from kairos.daemon.duties import Duties
from kairos.daemon.folded import World
from kairos.daemon.presence import RepoStatus
from kairos.daemon.watching import Watching
from kairos.domain.events import BaselineRecorded, FilesChanged, RepoTrusted, RepoUnwatched, WatchGap
from kairos.errors import TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.repositories import RepositoriesView, repository_id
from kairos.home import Home
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


class Shown:
    """What was published, the latest last; `full`: the disk has no room for it."""

    def __init__(self) -> None:
        self.all: list[list[RepoStatus]] = []
        self.full = False
        self.refused = 0

    def __call__(self, repos: list[RepoStatus]) -> None:
        if self.full:
            self.refused += 1
            raise TryAgain("no space left")
        self.all.append(repos)

    @property
    def states(self) -> dict[str, str]:
        return {Path(r.path).name: r.state for r in self.all[-1]} if self.all else {}


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def armed() -> threading.Event:
    return threading.Event()


@pytest.fixture
def watching(others: Any, home: Home, log: Log, world: World, shown: Shown, armed: threading.Event) -> Watching:
    def guard(work: Callable[[], None]) -> None:
        work()

    duties = Duties(log, 60, (), lambda: None)
    return Watching(home, others.config, open_log(home), world, duties, guard, shown, armed.set, lambda text: None)


@pytest.fixture
def second(repo: Any, tmp_path: Path) -> Iterator[Any]:
    root = tmp_path / "second"
    repo.git("clone", "-q", str(repo.root), str(root))
    yield type(repo)(root)


def trust(others: Any, root: Path) -> str:
    found = root.stat()
    repo = repository_id(found.st_dev, found.st_ino, str(root))
    others.say(RepoTrusted(repo=repo, root=str(root), dev=found.st_dev, ino=found.st_ino, by="user"), repo)
    others.say(BaselineRecorded(repo=repo, entries=1), repo)
    return repo


def sensors() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("repo-")}


def test_it_says_that_it_is_armed_once_every_sensor_is(
    others: Any, watching: Watching, armed: threading.Event, shown: Shown, running: Callable[..., Any]
) -> None:
    with running(watching):
        assert armed.wait(60)
        assert shown.states == {"repo": "watching"}
        (others.root / "new.txt").write_text("x\n")
        told = others.until("FilesChanged", count=2)  # the first is what came before it watched
    assert "new.txt" in [c.fs for e in told for c in e.changes]
    assert sensors() == set(), "each ends with it"


def test_sensors_come_and_go_as_people_trust_and_withdraw(
    others: Any, watching: Watching, armed: threading.Event, shown: Shown, second: Any, running: Callable[..., Any],
    until: Callable[..., None],
) -> None:  # fmt: skip
    with running(watching):
        assert armed.wait(60)
        repo = trust(others, second.root)
        until(lambda: shown.states == {"repo": "watching", "second": "watching"})
        assert sensors() == {others.repo, repo}
        others.say(RepoUnwatched(repo=repo, root=str(second.root)), repo)
        until(lambda: sensors() == {others.repo})
        until(lambda: shown.states == {"repo": "watching"})


def test_what_a_full_disk_kept_from_being_shown_is_shown_later(
    others: Any, watching: Watching, armed: threading.Event, shown: Shown, running: Callable[..., Any],
    until: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("kairos.daemon.watching.RETRY_S", 0.01)
    shown.full = True
    with running(watching):
        assert armed.wait(60)
        until(lambda: shown.refused > 3)
        assert shown.all == []
        shown.full = False
        until(lambda: shown.states == {"repo": "watching"})
        until(lambda: not watching._unshown)
        count = len(shown.all)
        others.say(BaselineRecorded(repo="another", entries=1), "another")
        until(lambda: watching.position == others.log.head())
    assert [r.path for r in shown.all[count - 1]] == [str(others.root)]


def test_a_stop_before_the_sensors_are_armed_ends_them(
    watching: Watching, armed: threading.Event, running: Callable[..., Any]
) -> None:
    watching.stop()
    with running(watching):
        pass
    assert sensors() == set() and not armed.is_set()


def test_a_machine_that_woke_makes_every_idle_sensor_look(
    watched: Watched, repo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = [repo.root, tmp_path / "b", tmp_path / "c"]
    for root in roots[1:]:
        shutil.copytree(repo.root, root)
    for root in roots:
        watched.trust(root)
    watched.start()
    for root in roots:
        watched.until(root, "watching")
    slept = suspend_offset_ns() + 60_000_000_000
    monkeypatch.setattr("kairos.sensing.hints.suspend_offset_ns", lambda: slept)
    assert watched._watching is not None
    watched._watching.clock_jumped()
    deadline = time.monotonic() + 20
    while len(gaps := list(watched.log.read(topics={"WatchGap"}))) < len(roots):
        assert time.monotonic() < deadline, "a sensor slept on"
        time.sleep(0.01)
    assert {r.event.reason for r in gaps if isinstance(r.event, WatchGap)} == {"suspend"}
    assert len({r.stream for r in gaps}) == len(roots)
