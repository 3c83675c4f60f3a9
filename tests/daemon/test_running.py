"""The whole daemon in a process of its own: ready when it watches, ended as a whole, done when it has drained."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos.home import Home

DAEMON = """
import sys, threading
from kairos.home import find_home
from kairos.settings import load_config
from kairos.daemon import running
from kairos.daemon.executing import Executing
from kairos.daemon.reactor import Reactor
{change}
home = find_home()
def ready():
    names = sorted(t.name for t in threading.enumerate() if not t.name.startswith("repo-"))
    print("ready", *names, flush=True)
def report(text):
    print(text, file=sys.stderr, flush=True)
sys.exit(running.run(home, load_config(home), lambda log, needles: None, on_ready=ready, report=report))
"""


class Process:
    """A daemon whose program may be changed before it starts."""

    def __init__(self, home: Home, change: str = "") -> None:
        self.err = home.data / "err"
        with self.err.open("wb") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-c", DAEMON.format(change=change)],
                stdout=subprocess.PIPE, stderr=sink, env={**os.environ, "PYTHONFAULTHANDLER": "1"}, text=True,
            )  # fmt: skip

    def ready(self) -> list[str]:
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        assert words and words[0] == "ready", self.err.read_text()
        return words[1:]

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def start(home: Home, others: Any) -> Iterator[Callable[..., Process]]:
    made: list[Process] = []

    def begin(change: str = "") -> Process:
        made.append(Process(home, change))
        return made[-1]

    yield begin
    for one in made:
        one.process.kill()
        one.process.communicate()


# Proposals are a model's here: no rules turn closes them, though no detector finds their reason again.


def test_what_runs_is_one_thread_a_component(start: Callable[..., Process], others: Any) -> None:
    daemon = start()
    assert daemon.ready() == [
        "MainThread",
        "checking",
        "executing",
        "following",
        "log-watching",
        "nights",
        "reactor",
        "scheduler",
        "watching",
    ]
    assert daemon.end() == 0
    assert daemon.err.read_text() == ""
    assert len(others.told("DaemonStarted")) == len(others.told("DaemonStopped")) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_drains_on_a_signal_whatever_it_does(start: Callable[..., Process], others: Any, number: int) -> None:
    daemon = start()
    daemon.ready()
    for _ in range(20):
        others.raised(engine="model")
    others.until("ProposalVerified")
    assert daemon.end(number) == 0
    assert others.log.stream("daemon")[-1].topic == "DaemonStopped"


def test_a_defect_in_one_component_ends_the_whole_daemon_and_is_reported(start: Callable[..., Process]) -> None:
    daemon = start("def broken(self): raise ValueError('a defect')\nExecuting.step = broken")
    assert daemon.process.wait(60) == 1
    assert "ValueError: a defect" in daemon.err.read_text()


def test_an_error_that_a_person_can_act_on_ends_it_with_its_code(start: Callable[..., Process]) -> None:
    change = """
from kairos.errors import IntegrityError
def broken(self): raise IntegrityError('the log is damaged', 'Restore it.')
Reactor.step = broken
"""
    daemon = start(change)
    assert daemon.process.wait(60) == 9
    assert daemon.err.read_text().splitlines() == ["error: the log is damaged", "  Restore it."]


def test_a_component_that_meets_a_busy_log_begins_again(start: Callable[..., Process], others: Any) -> None:
    change = """
from kairos.errors import TryAgain
left = [1, 1]
step = Executing.step
def busy(self):
    if left:
        left.pop()
        raise TryAgain('the log is busy')
    return step(self)
Executing.step = busy
"""
    others.raised(engine="model")
    daemon = start(change)
    daemon.ready()
    others.until("ProposalVerified")
    assert daemon.end() == 0
    assert daemon.err.read_text() == "the log is busy; trying again\n"


def test_a_tick_makes_it_look_at_the_clock_as_it_is_now(
    start: Callable[..., Process], others: Any, clock: Callable[[float], None]
) -> None:
    clock(0)
    raised = others.raised(engine="model")
    daemon = start()
    daemon.ready()
    others.until("ProposalVerified")
    clock(15 * 86_400)
    daemon.process.send_signal(signal.SIGUSR1)
    others.until("ProposalExpired")
    others.until("OccurrenceEnded", count=2)
    assert daemon.end() == 0
    assert others.of(raised.id).state == "expired"


def test_idle_it_wakes_nobody(start: Callable[..., Process], others: Any, until: Callable[..., None]) -> None:
    """But for the sensors, whose business the tree is. What is counted is what the kernel counts."""
    daemon = start()
    daemon.ready()
    task = Path(f"/proc/{daemon.process.pid}/task")
    own = lambda: {t.name: _switches(t) for t in task.iterdir() if not _name(t).startswith("repo-")}  # noqa: E731
    before: dict[str, int] = {}

    def at_rest() -> bool:
        nonlocal before
        earlier, before = before, own()
        signal.sigtimedwait([], 1)
        return own() == before == earlier

    until(at_rest, "it comes to rest")
    signal.sigtimedwait([], 5)
    assert own() == before


def _name(task: Path) -> str:
    return (task / "comm").read_text()


def _switches(task: Path) -> int:
    lines = (task / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
