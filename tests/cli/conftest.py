"""Fixtures of the command line: run a command, and a log with a repository and proposals in it."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cli.main import main
from kairos.clock import DAY, now_us
from kairos.domain import events as ev
from kairos.domain.action import Action, NoteAction, PatchAction, digest, edit, effects_of
from kairos.domain.events.proposals import Risk
from kairos.domain.proposal import proposal_id
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views import repository_id
from kairos.home import Home

DEADLINE_S = 30.0
KAIROS = [sys.executable, "-P", "-m", "cli"]


class Result(NamedTuple):
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)["data"]

    @property
    def error(self) -> Any:
        return json.loads(self.err.splitlines()[-1])["error"]


Run = Callable[..., Result]


def run_here(*args: str) -> Result:
    """A command in this process, without a terminal."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(a) for a in args])
    return Result(code, out.getvalue(), err.getvalue())


def run_apart(*args: str, **options: Any) -> Result:
    """A command in a process of its own."""
    done = subprocess.run(
        [*KAIROS, *map(str, args)], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60,
        **options,
    )  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def kairos(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    yield run_here


@pytest.fixture
def kairos_apart(home: Home) -> Run:
    return run_apart


class Seeded:
    """A trusted repository at `root` and the means to raise proposals in it."""

    def __init__(self, log: Log, root: Path) -> None:
        self.log = log
        self.root = root
        stat = root.stat()
        self.id = repository_id(stat.st_dev, stat.st_ino, str(root))
        trusted = ev.RepoTrusted(repo=self.id, root=str(root), dev=stat.st_dev, ino=stat.st_ino, by="user")
        log.append(
            [
                NewEvent(self.id, trusted, None, "user"),
                NewEvent(self.id, ev.BaselineRecorded(repo=self.id, entries=1), -1, "baseline"),
            ]
        )
        self.oid = "77ab12" + "0" * 34
        moved = ev.GitMoved(
            repo=self.id, head="refs/heads/main", refs=[ev.RefMove(name="refs/heads/main", old=None, new=self.oid)],
            what="commit", note="rename pay",
        )  # fmt: skip
        due = ev.AttentionDue(repo=self.id, boundary="commit", rule="commit@1")
        turn = ev.TurnStarted(
            turn="turn-1", repo=self.id, engine="rules", boundary="commit", detectors=["stale-reference"]
        )
        self.cause, _, self.turn = log.append(
            [NewEvent(self.id, moved), NewEvent(self.id, due, -1), NewEvent("turn-1", turn, -1)]
        )

    def patch(self, path: str, after: bytes) -> PatchAction:
        target = self.root / path
        before = (target.read_bytes(), target.stat().st_mode) if target.exists() else None
        return PatchAction(repo=self.id, edits=[edit(path, before, (after, before[1] if before else 0o644))])

    def note(self, text: str = "Look at this.") -> NoteAction:
        return NoteAction(repo=self.id, text=text)

    def raise_(
        self, action: Action, *, seed: str = "a", risk: Risk = "low", title: str = "Add a line", verified: bool = True,
        expires_in: int = DAY,
    ) -> ev.ProposalRaised:  # fmt: skip
        effects = effects_of(action)
        raised = ev.ProposalRaised(
            id=proposal_id(seed), repo=self.id, digest=digest(action, effects, "p1"), detector="stale-reference",
            detector_version=1, engine="rules", turn="turn-1", key=f"key-{seed}", title=title,
            claim="It names a file that is gone.", risk=risk, action=action, effects=effects, evidence=[self.cause],
            expires_at=now_us() + expires_in, policy_version="p1", boundary="commit",
        )  # fmt: skip
        new = [NewEvent(f"proposal-{raised.id}", raised, self.turn)]
        if verified:
            ok = ev.ProposalVerified(id=raised.id, digest=raised.digest, ok=True)
            new.append(NewEvent(f"proposal-{raised.id}", ok, -1))
        self.log.append(new)
        return raised

    def event(self, text: str) -> NewEvent:
        return NewEvent("control", ev.FindingListed(repo=self.id, key=text, detector="secret", title=text))

    def append(self, event: ev.Event, stream: str = "control") -> int:
        return self.log.append([NewEvent(stream, event, None, "user")])[0]


@pytest.fixture
def seeded(log: Log, repo: Any, kairos: Run) -> Seeded:
    return Seeded(log, repo.root.resolve())


@pytest.fixture
def kairos_command(home: Home) -> list[str]:
    """How to start a command on this home, for tests that keep the process in their own hands."""
    return KAIROS


class Screen:
    """A command on a terminal of its own. `until` waits for text that was not there before."""

    def __init__(self, *args: str) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [*KAIROS, *args], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**os.environ, "TERM": "dumb"},
        )  # fmt: skip
        os.close(slave)
        self.seen = ""

    def until(self, text: str) -> str:
        deadline = time.monotonic() + DEADLINE_S
        while text not in self.seen:
            assert time.monotonic() < deadline, f"{text!r} did not come; the screen shows\n{self.seen}"
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.master, 65536).decode()
                except OSError:
                    assert text in self.seen, f"ended without {text!r}\n{self.seen}"
        before, _, self.seen = self.seen.partition(text)
        return before

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def end(self) -> int:
        deadline = time.monotonic() + DEADLINE_S
        while (code := self.process.poll()) is None:
            assert time.monotonic() < deadline, self.seen
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.master, 65536).decode()
                except OSError:
                    continue
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal(home: Home) -> Iterator[Callable[..., Screen]]:
    """Starts commands on terminals of their own."""
    screens: list[Screen] = []

    def start(*args: str) -> Screen:
        screens.append(Screen(*map(str, args)))
        return screens[-1]

    yield start
    for screen in screens:
        screen.close()
