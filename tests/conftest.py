"""Shared fixtures: a private home, a real git repository, the log of the home."""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded
from kairos.home import Home, find_home

GIT_ENV = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.invalid",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.invalid",
}

PROGRAM = str(Path(sys.executable).with_name("kairos"))


class Repo:
    """A real repository for tests: `git` runs, `write` writes, `commit` adds everything and commits."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *args: str, check: bool = True) -> str:
        done = subprocess.run(
            ["git", "-C", self.root, *args], capture_output=True, check=check, env={**os.environ, **GIT_ENV}
        )
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def write(self, path: str, content: str | bytes, mode: int | None = None) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        if mode is not None:
            target.chmod(mode)
        return target

    def commit(self, message: str = "change") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A private Kairos home; KAIROS_HOME points at it for child processes too."""
    monkeypatch.setenv("KAIROS_HOME", str(tmp_path / "home"))
    found = find_home()
    found.prepare()
    return found


@pytest.fixture
def log(home: Home) -> Iterator[Log]:
    opened = Log(home.log)
    yield opened
    opened.close()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one commit."""
    root = tmp_path / "repo"
    root.mkdir()
    made = Repo(root)
    made.git("init", "-q", "-b", "main")
    made.write("README.md", "# Demo\n")
    made.commit("first")
    return made


class Daemon:
    """A real daemon process on a home. `kill` is SIGKILL; leaving the test kills what still runs."""

    def __init__(self, environment: dict[str, str], log: Path, prefix: Sequence[str] = ()) -> None:
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [*prefix, PROGRAM, "daemon", "run"],
                env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, cwd=log.parent,
                start_new_session=True,
            )  # fmt: skip
        self._log = log

    def wait_ready(self, seconds: float = 30.0) -> None:
        before = time.monotonic()
        while b"ready\n" not in self._log.read_bytes():
            assert self.process.poll() is None, self._log.read_text()
            assert time.monotonic() - before < seconds, "the daemon did not get ready"
            time.sleep(0.01)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=20)


class Kairos:
    """The program as a script uses it, on a private home."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.environment = {
            **{k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")},
            "KAIROS_HOME": str(self.home),
            "KAIROS_CLOCK_FILE": str(root / "clock"),
            "TZ": "UTC",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._daemons: list[Daemon] = []

    def clock(self, iso: str) -> None:
        """Sets the program's wall clock to a UTC time; it runs on from there."""
        moment = datetime.fromisoformat(iso).replace(tzinfo=UTC).timestamp()
        fresh = self.root / "clock.new"
        fresh.write_text(str(moment - time.time()))
        fresh.replace(self.root / "clock")

    def call(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *args],
            env=self.environment, cwd=self.root, capture_output=True, text=True, check=False, timeout=100,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def run(self, *args: str, code: int = 0) -> Any:
        """The `data` of a command's --json answer; asserts its exit code."""
        done = self.call("--json", *args)
        assert done.returncode == code, (args, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)["data"] if code in (0, 75) and done.stdout.strip() else done.stderr

    def lines(self, *args: str) -> list[dict[str, Any]]:
        """The NDJSON lines of `log` or `files`."""
        done = self.call("--json", *args)
        assert done.returncode == 0, (args, done.stdout, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def daemon(self, *, ready: bool = True, prefix: Sequence[str] = ()) -> Daemon:
        log = self.root / f"daemon-{len(self._daemons)}.err"
        log.touch()
        started = Daemon(self.environment, log, prefix)
        self._daemons.append(started)
        if ready:
            started.wait_ready()
        return started

    def open_log(self) -> Log:
        return Log(self.home / "log" / "log.db", url=self.environment.get("KAIROS_LOG", ""))

    def events(self, *topics: str) -> list[Recorded]:
        opened = self.open_log()
        found = list(opened.read(topics=topics))
        opened.close()
        return found

    def until(self, topic: str, count: int = 1, seconds: float = 20.0, **fields: object) -> list[Recorded]:
        """Waits until the log holds `count` events of a topic whose fields have these values."""
        begun = time.monotonic()
        while True:
            found = [
                r for r in self.events(topic) if all(getattr(r.event, name) == value for name, value in fields.items())
            ]
            if len(found) >= count:
                return found
            if time.monotonic() - begun > seconds:
                tail = [f"{r.position} {r.topic} {r.event}"[:240] for r in self.events()][-30:]
                errors = "".join(p.read_text() for p in sorted(self.root.glob("daemon-*.err")))
                pytest.fail(f"no {count} × {topic} {fields} within {seconds} s:\n" + "\n".join(tail) + "\n" + errors)
            time.sleep(0.02)

    def wait(self, find: Callable[[], Any], seconds: float = 30.0) -> Any:
        """What `find` finds, once it does."""
        begun = time.monotonic()
        while not (found := find()):
            if time.monotonic() - begun > seconds:
                errors = "".join(p.read_text() for p in sorted(self.root.glob("daemon-*.err")))
                pytest.fail(f"not found within {seconds} s; the daemon said:\n{errors}")
            time.sleep(0.05)
        return found

    def close(self) -> None:
        for daemon in self._daemons:
            if daemon.process.poll() is None:
                daemon.kill()


@pytest.fixture
def kairos(tmp_path: Path) -> Iterator[Kairos]:
    """Kairos on a private home, its clock at noon of a working day."""
    made = Kairos(tmp_path)
    made.clock("2026-06-01T12:00:00")
    yield made
    made.close()


def _load(name: str) -> Any:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


_watchers: list[list[str]] = []


def _heed(event: str, args: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        for watcher in _watchers:
            watcher.append(Path(os.fsdecode(args[0] or args[1][0])).name)


sys.addaudithook(_heed)  # there is no way to take one away


@pytest.fixture
def started() -> Iterator[list[str]]:
    """The names of the programs that this process starts from now on."""
    found: list[str] = []
    _watchers.append(found)
    yield found
    _watchers.remove(found)


@pytest.fixture
def as_a_plain_user() -> Iterator[None]:
    """This thread may only read what its user may: root sets aside the capabilities that pass over permissions."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, before = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, before) == 0
    lowered = (ctypes.c_uint32 * 6)(*before)
    lowered[0] &= ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    assert libc.capset(header, lowered) == 0
    yield
    assert libc.capset(header, before) == 0


@pytest.fixture
def server() -> Iterator[Any]:
    """A scripted model server on loopback."""
    with _load("scripted_model").ScriptedModel() as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server of this test process; see `postgres_server`."""
    server = _load("postgres_server").PostgresServer()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgres"])
def any_log(request: pytest.FixtureRequest, home: Home) -> Iterator[Log]:
    """An empty log on either engine."""
    url = request.getfixturevalue("postgres").url() if request.param == "postgres" else ""
    opened = Log(home.log, url=url)
    yield opened
    opened.close()


@pytest.fixture
def another_log(any_log: Log, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Log]:
    """A second, unrelated log on the engine of `any_log`."""
    url = request.getfixturevalue("postgres").url() if any_log.url else ""
    opened = Log(tmp_path / "another" / "log.db", url=url)
    yield opened
    opened.close()


@pytest.fixture
def past(log: Log) -> Any:
    """Fills the log of the home with observations to fold; see `retained`."""
    return _load("retained").Past(log)


@pytest.fixture
def seeded(log: Log, repo: Repo) -> Any:
    """A trusted repository and the means to raise proposals in it; see `seeded`."""
    return _load("seeded").Seeded(log, repo.root.resolve())
