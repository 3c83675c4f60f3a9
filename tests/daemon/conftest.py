"""A trusted repository, the daemon's world over the log of its home, and components that run in threads as they do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kairos.acting import confine
from kairos.clock import DAY, now_us
from kairos.daemon.component import Component
from kairos.daemon.folded import World
from kairos.daemon.following import Following
from kairos.daemon.priming import prime
from kairos.domain.action import Action, NoteAction, PatchAction, edit
from kairos.domain.events import BaselineRecorded, Event, ProposalRaised, RepoTrusted
from kairos.domain.finding import Finding
from kairos.domain.policy import Policy
from kairos.domain.proposal import Proposal, stream_of
from kairos.domain.raising import raise_findings
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.inbox import InboxView
from kairos.eventlog.views.repositories import RepositoriesView, Repository, repository_id
from kairos.home import Home, find_home
from kairos.settings import Config
from tests import processes
from tests.daemon.checked import Checked
from tests.daemon.kept import PAGE, Kept
from tests.daemon.muting import Muting


class Others:
    """What a person and the other components do: events are appended to a log of its own; `until` waits for them."""

    def __init__(self, home: Home, log: Log, root: Path) -> None:
        self.home, self.log, self.root = home, log, root
        self.config = Config()
        self.count = 0
        found = root.stat()
        self.repo = repository_id(found.st_dev, found.st_ino, str(root))
        trusted = RepoTrusted(repo=self.repo, root=str(root), dev=found.st_dev, ino=found.st_ino, by="user")
        self.say(trusted, self.repo, origin="user")
        self.cause = self.say(BaselineRecorded(repo=self.repo, entries=1, commits=1), self.repo, origin="baseline")

    def say(self, event: Event, stream: str = "control", cause: int | None = None, origin: Any = "live") -> int:
        return self.log.append([NewEvent(stream, event, cause, origin)])[0]

    @property
    def repository(self) -> Repository:
        return RepositoriesView().load(self.log)[0].by_id[self.repo]

    def note(self, text: str = "Look here.") -> Action:
        return NoteAction(repo=self.repo, text=text)

    def patch(self, path: str, content: str) -> Action:
        target = self.root / path
        before = (target.read_bytes(), target.stat().st_mode) if target.exists() else None
        return PatchAction(repo=self.repo, edits=[edit(path, before, (content.encode(), 0o644))])

    def raised(self, action: Action | None = None, **fields: Any) -> Proposal:
        """A new proposal; `fields` of its finding, `expire_us` from now."""
        self.count += 1
        expire_us = fields.pop("expire_us", 14 * DAY)
        finding = Finding(
            **{
                "detector": "test-detector", "version": 1, "key": f"test-detector:thing:{self.count}",
                "title": "Change things", "claim": "Things should change.", "evidence": [self.cause],
                "action": action or self.note(), **fields,
            }
        )  # fmt: skip
        known = InboxView().load(self.log)[0].proposals
        (raised,) = raise_findings(
            [finding], known=list(known.values()), taken=known, listed=(), repo=self.repo, turn="turn-1",
            boundary="commit", policy=Policy(), now=now_us(), expire_us=expire_us, root=str(self.root),
        )  # fmt: skip
        assert isinstance(raised, ProposalRaised), raised
        self.say(raised, stream_of(raised.id), self.cause, "system")
        return self.of(raised.id)

    def of(self, proposal_id: str) -> Proposal:
        return InboxView().load(self.log)[0].find(proposal_id)

    def told(self, topic: str) -> list[Any]:
        """The events of a topic, in order."""
        return [r.event for r in self.log.read(topics={topic})]

    def until(self, topic: str, count: int = 1) -> list[Any]:
        processes.until(lambda: len(self.told(topic)) >= count, f"{count} × {topic}")
        return self.told(topic)


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits until a condition holds."""
    return processes.until


@pytest.fixture
def others(home: Home, log: Log, repo: Any) -> Others:
    return Others(home, log, repo.root)


@pytest.fixture
def others_on(home: Home, repo: Any) -> Callable[[Log], Others]:
    """As `others`, on another log than that of the home."""
    return lambda log: Others(home, log, repo.root)


@pytest.fixture
def homes(tmp_path: Path, postgres: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Log]]:
    """The logs of two homes, which are one."""
    monkeypatch.setenv("KAIROS_LOG", postgres.url())
    logs = []
    for name in ("ada", "bob"):
        home = find_home(str(tmp_path / name))
        home.prepare()
        logs.append(open_log(home))
    yield logs
    for log in logs:
        log.close()


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves this process's wall clock by so many seconds in all."""
    shift = tmp_path / "clock"
    monkeypatch.setenv("KAIROS_CLOCK_FILE", str(shift))

    def move(seconds: float) -> None:
        fresh = shift.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(shift)

    return move


@pytest.fixture
def world(home: Home, log: Log) -> Iterator[World]:
    """The world over a log of its own."""
    prime()
    own = open_log(home)
    made = World(own)
    made.load()
    yield made
    own.close()


@pytest.fixture
def running(home: Home, world: World) -> Callable[..., Any]:
    """Runs components in threads beside one that follows the log; what one of them raises is raised at the end."""

    @contextmanager
    def run(*components: Component) -> Iterator[None]:
        failed: list[BaseException] = []

        def guard(work: Callable[[], None]) -> None:
            try:
                work()
            except BaseException as error:
                failed.append(error)

        parts = [Following(open_log(home), world), *components]
        threads = [threading.Thread(target=guard, args=(part.run,), name=part.name) for part in parts]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for part in parts:
                part.stop()
            for thread in threads:
                thread.join(60)
            assert not any(thread.is_alive() for thread in threads)
            for part in parts:
                part.close()
        if failed:
            raise failed[0]

    return run


@pytest.fixture
def kept(repo: Any, home: Home) -> Iterator[Kept]:
    repo.write("src/pay.py", "def f():\n    return 1\n\n\ndef g():\n    return 2\n")
    repo.write("a.md", PAGE)
    repo.write("other.txt", "0\n")
    repo.commit()
    made = Kept(repo, home)
    yield made
    made.log.close()


@pytest.fixture
def muting(others: Any, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Muting]:
    monkeypatch.setattr("kairos.daemon.reactor.LULL_S", 0.0)
    made = Muting(others, home)
    yield made
    made.own.close()


@pytest.fixture
def checked(others: Any, repo: Any, home: Home, log: Log, world: World) -> Checked:
    if confine.tier(home.scratch).name not in ("T2", "T3"):
        pytest.skip("this machine cannot confine commands")
    made = Checked(others, repo, home, log, world)
    made.bad("")
    return made
