"""A command that prints a log: real processes, begun again when they end, gone with what began them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from kairos.acting import log_command
from kairos.acting.log_command import LogCommand
from kairos.home import Home
from tests.processes import running, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are confined on Linux only")
FOREVER = ["sh", "-c", "echo begun; sleep 7301 & exec sleep 7301"]


class Heard:
    """What a command printed so far."""

    def __init__(self, home: Home, root: Path) -> None:
        self.home, self.root = home, root
        self.rang = threading.Event()
        self.lines: list[str] = []
        self.whys: list[str] = []
        self.begun = 0
        self.command: LogCommand | None = None
        self.may_begin = threading.Event()
        self.may_begin.set()

    def start(self, *argv: str, read_roots: list[Path] | None = None) -> LogCommand:

        def argv_of() -> Sequence[str]:
            self.may_begin.wait()
            return argv

        self.command = LogCommand(self.home, self.root, argv_of, read_roots or [], self.rang.set)
        return self.command

    def take(self) -> None:
        assert self.command is not None
        lines, begun, why = self.command.take()
        self.lines += lines
        self.begun += begun
        self.whys += [why] if why and why not in self.whys else []

    def until(self, condition: Callable[[], object], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert self.rang.wait(max(0.0, end - time.monotonic())), (self.lines, self.whys)
            self.rang.clear()
            self.take()


@pytest.fixture
def heard(home: Home, repo: Any) -> Iterator[Heard]:
    found = Heard(home, repo.root)
    yield found
    if found.command is not None:
        found.command.close()


def sleepers() -> set[int]:
    """The processes whose command line is that of the sleep in `FOREVER`."""
    return {pid for pid, words in running("7301").items() if words[:2] == ["sleep", "7301"]}


def test_lines_come_as_they_are_printed_and_only_those_of_the_standard_output(heard: Heard, repo: Any) -> None:
    repo.write("a.log", "one\ntwo\n")
    heard.start("sh", "-c", "echo aside >&2; tail -n 5 -F a.log")
    heard.until(lambda: heard.lines == ["one", "two"])
    with (repo.root / "a.log").open("a") as out:
        out.write("three\n")
    heard.until(lambda: heard.lines == ["one", "two", "three"])
    assert (heard.begun, heard.whys) == (1, [])


def test_one_that_ends_is_begun_again_with_growing_pauses_and_says_why(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_command, "AGAIN_S", 0.01)
    monkeypatch.setattr(log_command, "AGAIN_MOST_S", 0.03)
    pauses: list[float] = []
    heard.may_begin.clear()
    command = heard.start("sh", "-c", "printf 'no end'; echo token ghp_" + "a1B2" * 9 + " >&2; exit 3")
    wait = command._closed.wait
    monkeypatch.setattr(command._closed, "wait", lambda s=None: (pauses.append(s), wait(s))[1])
    heard.may_begin.set()
    heard.until(lambda: len(heard.lines) >= 5)
    assert set(heard.lines) == {"no end"}
    (why,) = heard.whys
    assert why.startswith("it ended (exit 3): token ") and "ghp_a1B2" not in why
    assert pauses[:4] == [0.01, 0.02, 0.03, 0.03]


def test_a_run_of_a_minute_makes_forget_why_the_one_before_ended(
    heard: Heard, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_command, "AGAIN_S", 0.01)
    monkeypatch.setattr(log_command, "STEADY_S", 0.0)
    command = heard.start("sh", "-c", "test -e now && exec sleep 7300; exit 1")
    heard.until(lambda: heard.whys == ["it ended (exit 1)"])
    repo.write("now", "")
    until(lambda: command.take().why == "")


@pytest.mark.parametrize(
    ("argv", "why"),
    [(["no-such-program"], "it cannot be run: no-such-program: No such file or directory"), (["./x"], "Permission")],
)
def test_one_that_cannot_run_says_so(heard: Heard, repo: Any, argv: list[str], why: str) -> None:
    repo.write("x", "no program", mode=0o644)
    heard.start(*argv)
    heard.until(lambda: heard.whys)
    assert why in heard.whys[0]


def test_a_directory_that_it_may_read_and_that_is_not_there_is_said(heard: Heard, tmp_path: Path) -> None:
    heard.start("true", read_roots=[tmp_path / "none"])
    heard.until(lambda: heard.whys)
    assert str(tmp_path / "none") in heard.whys[0]


def test_it_waits_when_nobody_takes_its_lines_and_loses_none(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_command, "MOST_LINES", 100)
    command = heard.start("sh", "-c", "seq 400000; exec sleep 7300")
    assert heard.rang.wait(30)
    first = command.take().lines
    heard.lines = list(first)
    heard.until(lambda: heard.lines[-1:] == ["400000"])
    assert heard.lines == [str(n) for n in range(1, 400_001)]
    assert len(first) < 400_000


def test_what_it_started_ends_with_it(heard: Heard) -> None:
    before = sleepers()
    command = heard.start(*FOREVER)
    heard.until(lambda: heard.lines == ["begun"])
    until(lambda: len(sleepers() - before) == 2)
    began = time.monotonic()
    command.close()
    assert sleepers() <= before
    assert time.monotonic() - began < 5
    command.close()


def test_a_daemon_that_is_killed_leaves_no_orphan(home: Home, repo: Any) -> None:
    before = sleepers()
    code = f"""
        import sys, threading
        from pathlib import Path
        from kairos.acting.log_command import LogCommand
        from kairos.home import find_home
        rang = threading.Event()
        LogCommand(find_home({str(home.data.parent)!r}), Path({str(repo.root)!r}), lambda: {FOREVER!r}, [], rang.set)
        rang.wait()
        print("heard", flush=True)
        threading.Event().wait()
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None and child.stdout.readline() == b"heard\n"
        until(lambda: len(sleepers() - before) == 2)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
    until(lambda: not sleepers() - before, "the end of all that it started")
