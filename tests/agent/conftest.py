"""A scripted model server, and a turn run against it in this process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from kairos.acting.laid_tree import LaidTree
from kairos.agent.driver import Driver
from kairos.agent.model import Halt, ModelPort
from kairos.agent.outputs import Assignment, Result
from kairos.agent.repository_files import Files
from kairos.domain.checks.state import NamedCheck
from kairos.domain.events import CommitRecorded, ModelCalled, ModelReserved
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.home import Home
from kairos.repo.git import Git
from kairos.settings import Model

REPO = "repo-1"
KEY = "test-key-12345678"


@pytest.fixture
def changed(repo: Any) -> str:
    """A commit that renames a function and leaves its caller behind."""
    repo.write("area.py", "def area(w, h):\n    return w * h\n")
    repo.write("main.py", "import area\n\nprint(area.area(2, 3))\n")
    repo.commit("add area")
    repo.write("area.py", "def surface(w, h):\n    return w * h\n")
    oid: str = repo.commit("rename area to surface")
    return oid


FIX = {
    "title": "main.py still calls area.area",
    "claim": "The commit renamed area to surface, main.py was left behind.",
    "files": [{"path": "main.py", "old_text": "area.area(2, 3)", "new_text": "area.surface(2, 3)"}],
    "evidence": [{"path": "area.py", "text": "def surface(w, h):"}],
}


@pytest.fixture
def fix() -> dict[str, Any]:
    return {**FIX}


class Bench:
    """Runs turns of one repository against the scripted server and reads the ledger."""

    def __init__(self, log: Log, home: Home, root: Path, oid: str, url: str) -> None:
        self.log = log
        self.home = home
        self.checks: list[NamedCheck] = []
        self.level = 1
        self.root = root
        self.url = url
        self.halt = Halt()
        event = CommitRecorded(repo=REPO, oid=oid, parents=[], author="Ada", at_s=1, subject="rename", changes=[])
        self.cause = log.append([NewEvent(REPO, event)])[0]
        self.turns = 0

    def assignment(self) -> Assignment:
        self.turns += 1
        return Assignment(
            turn=f"turn-{self.turns}", repo=REPO, root=str(self.root), boundary="commit", cause=self.cause, evidence=[],
            level=self.level,
        )  # fmt: skip

    def run(self, **settings: Any) -> Result:
        prices = {"input_usd_per_million": 1.0, "output_usd_per_million": 2.0}
        model = Model(**{"name": "scripted", "base_url": self.url, "deadline_seconds": 100.0, **prices, **settings})
        port = ModelPort(model, KEY)
        files = Files(Git(self.root))
        return Driver(
            self.log, model, port, files, self.assignment(), UTC, self.halt,
            make_bench=lambda laid: LaidTree(self.home, self.root, self.checks, laid),
        ).run()  # fmt: skip

    def called(self) -> list[ModelCalled]:
        return [r.event for r in self.log.read(0, topics=("ModelCalled",)) if isinstance(r.event, ModelCalled)]

    def reserved(self) -> list[ModelReserved]:
        return [r.event for r in self.log.read(0, topics=("ModelReserved",)) if isinstance(r.event, ModelReserved)]


@pytest.fixture
def bench(log: Log, home: Home, repo: Any, changed: str, server: Any) -> Bench:
    return Bench(log, home, repo.root, changed, server.base_url)


@pytest.fixture
def files_of() -> Callable[[Any], Files]:
    return lambda repo: Files(Git(repo.root))
