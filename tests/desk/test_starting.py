"""Starting and stopping a daemon: what is answered when it does not go well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kairos.daemon.presence import claim, read_status, running
from kairos.desk import starting
from kairos.desk.desk import Desk
from kairos.errors import Denied, IntegrityError, KairosError, NoDaemon, TryAgain, UsageError
from kairos.home import Home

HOLDER = """
import fcntl, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.write(str(__import__("os").getpid()))
lock.flush()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_daemon_is_started_once_and_stopped_once(desk: Desk, home: Home) -> None:
    pid, new = starting.start(desk)
    assert new and running(home) == pid
    status = read_status(home)
    assert status is not None and status.pid == pid
    assert starting.start(desk) == (pid, False)
    starting.stop(desk)
    assert running(home) is None
    with pytest.raises(NoDaemon):
        starting.stop(desk)


def test_the_command_names_the_home_unless_it_is_the_platform_s(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Desk()) as by_environment, closing(Desk(str(tmp_path / "b"))) as by_flag:
        assert starting.home_flag(by_environment) == ["--home", str(home.data)]
        assert starting.home_flag(by_flag) == ["--home", str(tmp_path / "b")]
        assert starting.command(by_flag)[-4:] == ["--home", str(tmp_path / "b"), "daemon", "run"]
    monkeypatch.delenv("KAIROS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    with closing(Desk()) as plain:
        assert starting.home_flag(plain) == []


def test_a_wrong_configuration_starts_nothing(desk: Desk, home: Home) -> None:
    home.config_file.write_text("nonsense = 1\n")
    with pytest.raises(UsageError, match="nonsense"):
        starting.start(desk)
    assert not (home.run / "daemon.log").exists()


def test_a_daemon_that_ends_at_once_says_why(desk: Desk, home: Home) -> None:
    home.log.parent.mkdir(parents=True, exist_ok=True)
    home.log.write_bytes(b"this is no database" * 500)
    with pytest.raises(KairosError) as failed:
        starting.start(desk)
    assert (failed.value.code, failed.value.name) == (IntegrityError.code, IntegrityError.name)
    assert str(home.run / "daemon.log") in failed.value.hint


@pytest.mark.parametrize(
    ("code", "said", "expected", "message"),
    [
        (6, "x\nerror: not yours\n", (6, Denied.name), "not yours"),
        (1, "Traceback\n  ValueError: x\n", (1, "error"), "ValueError: x"),
        (-9, "", (1, "error"), "it printed nothing"),
        (-9, "error: first\nerror: last\nready\n", (1, "error"), "last"),
    ],
)
def test_the_last_error_is_told(code: int, said: str, expected: tuple[int, str], message: str) -> None:
    failure = starting._ended(code, said, Path("/run/daemon.log"))
    assert (failure.code, failure.name) == expected and failure.message.endswith(message)


def test_a_daemon_that_does_not_end_in_time_is_told(desk: Desk, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "STOP_S", 0.0)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, home.daemon_lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None and holder.stdin is not None
        holder.stdout.readline()
        with pytest.raises(TryAgain, match=str(holder.pid)):
            starting.stop(desk)
        holder.stdin.close()
        assert holder.wait(20) == 0, "it was asked, and not killed"


def test_a_daemon_that_has_just_ended_is_told(desk: Desk, home: Home) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with claim(home):
        home.daemon_lock.write_text(str(ended.pid))
        with pytest.raises(TryAgain):
            starting.stop(desk)
        home.daemon_lock.write_text(str(os.getpid()))


def test_the_daemon_runs_in_this_process_until_a_signal(home: Home) -> None:
    program = (
        "import json, os, signal\n"
        "from kairos.desk.desk import Desk\n"
        "from kairos.desk.starting import run_here\n"
        "told = []\n"
        "ready = lambda: (told.append('ready'), os.kill(os.getpid(), signal.SIGTERM))\n"
        "print(json.dumps([run_here(Desk(), on_ready=ready, report=told.append), told]))\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True, timeout=60)
    code, told = json.loads(done.stdout)
    assert (code, told[0]) == (0, "ready")
    assert running(home) is None
