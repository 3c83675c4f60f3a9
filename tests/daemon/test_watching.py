"""A sensor for each repository that a person trusts, as long as they do; what they see of it is on disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos.daemon.duties import Duties
from kairos.daemon.folded import World
from kairos.daemon.presence import RepoStatus
from kairos.daemon.watching import Watching
from kairos.domain.events import BaselineRecorded, RepoTrusted, RepoUnwatched
from kairos.errors import TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.views.repositories import repository_id
from kairos.settings import Home


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
    return Watching(home, others.config, open_log(home), world, duties, guard, shown, armed.set)


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
