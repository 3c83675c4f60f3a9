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
def kairos(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.chdir(tmp_path)  # outside of any repository, as the one of this program is
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    yield run_here


@pytest.fixture
def kairos_apart(home: Home) -> Run:
    return run_apart


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
def terminal(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Screen]]:
    """Starts commands on terminals of their own, outside of any repository."""
    monkeypatch.chdir(tmp_path)
    screens: list[Screen] = []

    def start(*args: str) -> Screen:
        screens.append(Screen(*map(str, args)))
        return screens[-1]

    yield start
    for screen in screens:
        screen.close()
