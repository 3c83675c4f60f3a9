"""Fixtures of the command line: run a command, and a log with a repository and proposals in it."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pyte
import pytest

from cli.main import main
from kairos.home import Home

DEADLINE_S = 30.0
FINGER_S = 0.06
"""The shortest time between two keys that a person presses."""
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

    def __init__(self, *args: str, size: tuple[int, int] | None = None) -> None:
        """`size`: columns and lines of an xterm, whose screen `shown` gives; None: a terminal that only knows lines."""
        self.master, slave = pty.openpty()
        self.columns, self.lines = size or (80, 24)
        self._pyte = pyte.Screen(self.columns, self.lines)
        self._stream = pyte.ByteStream(self._pyte)
        if size is not None:
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", self.lines, self.columns, 0, 0))
        env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [*KAIROS, *args], stdin=slave, stdout=slave, stderr=slave, preexec_fn=_own_terminal,
            env={**env, "TERM": "dumb" if size is None else "xterm-256color"},
        )  # fmt: skip
        self._slave = os.ttyname(slave)
        os.close(slave)
        self.seen = ""
        self.raw = b""

    def _read(self, wait_s: float) -> bool:
        """Takes what the command wrote; false after its end."""
        if select.select([self.master], [], [], wait_s)[0]:
            try:
                block = os.read(self.master, 65536)
            except OSError:
                return False
            self.raw += block
            self._stream.feed(block)
            self.seen += block.decode("utf-8", "replace")
        return True

    def until(self, text: str) -> str:
        deadline = time.monotonic() + DEADLINE_S
        while text not in self.seen:
            assert time.monotonic() < deadline, f"{text!r} did not come; the screen shows\n{self.seen}"
            if not self._read(0.2):
                assert text in self.seen, f"ended without {text!r}\n{self.seen}"
        before, _, self.seen = self.seen.partition(text)
        return before

    @property
    def shown(self) -> list[str]:
        """The lines on the screen, without the spaces at their ends."""
        return [line.rstrip() for line in self._pyte.display]

    def shows(self, text: str, *, gone: bool = False) -> list[str]:
        """Waits until the screen shows a text (or, `gone`, does not); returns its lines."""
        deadline = time.monotonic() + DEADLINE_S
        while (text in "\n".join(self.shown)) is gone:
            assert time.monotonic() < deadline, f"{text!r}: the screen shows\n" + "\n".join(self.shown)
            assert self._read(0.2) or (text in "\n".join(self.shown)) is not gone, "\n".join(self.shown)
        while select.select([self.master], [], [], 0.05)[0] and self._read(0):
            pass
        return self.shown

    def answers(self, key: str) -> list[str]:
        """Presses a key and waits until the command wrote something; returns the lines of the screen."""
        before, deadline = len(self.raw), time.monotonic() + DEADLINE_S
        self.press(key)
        while len(self.raw) == before:
            assert time.monotonic() < deadline, f"{key!r} gives no answer: the screen shows\n" + "\n".join(self.shown)
            assert self._read(0.2) or len(self.raw) > before, "\n".join(self.shown)
        while select.select([self.master], [], [], 0.05)[0] and self._read(0):
            pass
        return self.shown

    def resize(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        self._pyte.resize(lines, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def pause(self) -> None:
        """Waits until what was pressed was read, and then as long as the fastest finger takes: what comes sooner is
        pasted text. Nothing tells that a key was understood if it does nothing."""
        deadline = time.monotonic() + DEADLINE_S
        slave = os.open(self._slave, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            while fcntl.ioctl(slave, termios.FIONREAD, bytes(4)) != bytes(4):
                assert time.monotonic() < deadline, f"what was pressed is not read\n{self.seen}"
                self._read(0.01)
        finally:
            os.close(slave)
        time.sleep(FINGER_S)

    def end(self) -> int:
        deadline = time.monotonic() + DEADLINE_S
        while (code := self.process.poll()) is None:
            assert time.monotonic() < deadline, self.seen
            self._read(0.1)
        while self._read(0.05) and select.select([self.master], [], [], 0)[0]:
            pass
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


def _own_terminal() -> None:
    """Makes standard input the controlling terminal of a new session, so that signals of the terminal arrive."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminal(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Screen]]:
    """Starts commands on terminals of their own, outside of any repository."""
    monkeypatch.chdir(tmp_path)
    screens: list[Screen] = []

    def start(*args: str, size: tuple[int, int] | None = None) -> Screen:
        screens.append(Screen(*map(str, args), size=size))
        return screens[-1]

    yield start
    for screen in screens:
        screen.close()
