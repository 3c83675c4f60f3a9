"""A repository with its baseline told, a sensor over it, and an oracle that walks the tree by itself."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import RepoTrusted
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Recorded
from kairos.eventlog.views.repositories import RepositoriesView, Repository, repository_id
from kairos.eventlog.views.watched_tree import Entry, fold_tree
from kairos.home import Home
from kairos.repo.git import Git
from kairos.sensing.baseline import record_baseline
from kairos.sensing.sensor import Sensor
from kairos.settings import WatchSettings


def trust(log: Log, root: Path) -> Repository:
    """Registers a directory the way `init` does."""
    found = root.lstat()
    repo = repository_id(found.st_dev, found.st_ino, str(root))
    if repo not in RepositoriesView().load(log)[0].by_id:
        event = RepoTrusted(repo=repo, root=str(root), dev=found.st_dev, ino=found.st_ino, by="test")
        log.append([NewEvent(repo, event, None, "user")])
    return RepositoriesView().load(log)[0].by_id[repo]


def walk(root: Path, left_out: tuple[Path, ...] = ()) -> dict[bytes, Entry]:
    """What the watched tree should be, found with os.scandir and `git check-ignore` alone."""
    tracked = set(
        subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True, check=True).stdout.split(b"\0")
    )
    leading = {b"/".join(p.split(b"/")[:n]) for p in tracked for n in range(1, p.count(b"/") + 1)}
    found: dict[bytes, Entry] = {}
    waiting = [b""]
    while waiting:
        entries = []
        for dir in waiting:
            with os.scandir(os.fsencode(root) + b"/" + dir) as scan:
                for entry in scan:
                    path = dir + b"/" + entry.name if dir else entry.name
                    is_out = any(os.fsencode(root) + b"/" + path == os.fsencode(x) for x in left_out)
                    if entry.name != b".git" and not is_out:
                        entries.append((path, entry.stat(follow_symlinks=False)))
        asked = b"\0".join(path for path, _ in entries)
        done = subprocess.run(
            ["git", "-C", root, "check-ignore", "-z", "--no-index", "--stdin"], input=asked, capture_output=True
        )
        ignored = set(done.stdout.split(b"\0")) if asked else set()
        waiting = []
        for path, stat in entries:
            kind = {0o040000: "dir", 0o100000: "file", 0o120000: "symlink"}.get(stat.st_mode & 0o170000)
            if kind is None or (path in ignored and path not in (leading if kind == "dir" else tracked)):
                continue
            is_dir = kind == "dir"
            found[path] = Entry(
                kind, None if is_dir else stat.st_size, stat.st_mode & 0o7777, None if is_dir else stat.st_mtime_ns
            )  # type: ignore[arg-type]
            if is_dir:
                waiting.append(path)
    return found


class Watch:
    """A sensor under test."""

    def __init__(
        self, log: Log, root: Path, watching: WatchSettings | None = None, excluded: tuple[Path, ...] = ()
    ) -> None:
        self.log, self.root, self.watching, self.excluded = log, root, watching, excluded
        self.repository = trust(log, root)
        self.id = self.repository.id
        self.sensor: Sensor | None = None

    def baseline(self, **more: Any) -> int:
        return record_baseline(self.log, self.repository, Git(self.root), excluded=self.excluded, **more)

    def start(self) -> list[Recorded]:
        """A new sensor, armed; returns what it told while arming and until quiet. The old one is just dropped."""
        before = self.log.head()
        self.repository = RepositoriesView().load(self.log)[0].by_id[self.id]
        self.sensor = Sensor(self.log, self.repository, self.watching, self.excluded)
        self.sensor.arm()
        self.settle()
        return self.since(before)

    def settle(self, seconds: float = 20.0) -> None:
        """Steps until everything that was hinted is told."""
        assert self.sensor is not None
        deadline = time.monotonic() + seconds
        while self.sensor.step(0.03) or self.sensor.pending:
            assert time.monotonic() < deadline, "never quiet"

    def until(self, done: Callable[[], bool], seconds: float = 20.0) -> None:
        assert self.sensor is not None
        deadline = time.monotonic() + seconds
        while not done():
            self.sensor.step(0.05)
            assert time.monotonic() < deadline, "never happened"

    def told(self, act: Callable[[], object]) -> list[Recorded]:
        """What the log was told of an act."""
        before = self.log.head()
        act()
        self.settle()
        return self.since(before)

    def since(self, position: int) -> list[Recorded]:
        return list(self.log.read(position))

    def check(self) -> None:
        """The sum of the log equals the tree."""
        expected = walk(self.root, self.excluded)
        found = fold_tree(self.log, self.id)
        assert {p: found.get(p) for p in found.keys() | expected.keys() if found.get(p) != expected.get(p)} == {
            p: expected.get(p) for p in found.keys() | expected.keys() if found.get(p) != expected.get(p)
        }


@pytest.fixture(autouse=True)
def own_git_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """git sees no configuration of the person who runs the tests."""
    (tmp_path / "person").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def watch(log: Log, repo: Any) -> Iterator[Watch]:
    """The `repo` fixture with baseline told and a sensor armed."""
    made = Watch(log, repo.root)
    made.baseline()
    assert made.start() == []
    yield made
    if made.sensor is not None:
        made.sensor.close()


@pytest.fixture
def watch_at(home: Home) -> Iterator[Callable[..., Watch]]:
    """Makes a Watch of any root, on a log of its own."""
    made: list[Watch] = []

    def make(root: Path, **more: Any) -> Watch:
        made.append(Watch(Log(home.data / f"log-{len(made)}" / "log.db"), root, **more))
        return made[-1]

    yield make
    for one in made:
        if one.sensor is not None:
            one.sensor.close()
        one.log.close()
