"""The real daemon behind `start`, `stop`, `watch` and `demo`."""

from __future__ import annotations

import json
import os
import select
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def _line(child: subprocess.Popen[bytes], stream: Any, seconds: float = 30.0) -> str:
    deadline = time.monotonic() + seconds
    while not select.select([stream], [], [], 0.2)[0]:
        assert time.monotonic() < deadline and child.poll() is None, "nothing was said in time"
    text: str = stream.readline().decode()
    return text


@contextmanager
def _running(command: list[str], *args: str) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([*command, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    try:
        yield child
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()
        child.communicate()


def test_the_daemon_says_ready_and_drains_on_sigterm(kairos: Any, repo: Any, kairos_command: list[str]) -> None:
    kairos("init", repo.root, "--yes")
    with _running(kairos_command, "daemon", "run") as child:
        assert _line(child, child.stderr) == "ready\n"
        status = kairos("status", "--json").data
        assert status["daemon"] == {"running": True, "pid": child.pid}
        assert [r["state"] for r in status["repos"]] == ["watching"]
        assert kairos("daemon", "run").code == 11
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
    assert kairos("status", "--json").data["daemon"] == {"running": False, "pid": None}


def test_start_and_stop_are_harmless_to_repeat(kairos: Any, kairos_apart: Any, repo: Any) -> None:
    kairos("init", repo.root, "--yes")
    started = kairos_apart("start", "--json")
    assert started.code == 0, started.err
    pid = json.loads(started.out)["data"]["pid"]
    try:
        again = kairos_apart("start", "--json")
        assert json.loads(again.out)["data"] == {"running": True, "pid": pid}
        assert kairos("status", "--json").data["daemon"]["pid"] == pid
        assert kairos("stop").code == 0
        assert kairos("stop").code == 10
        with pytest.raises(ProcessLookupError):
            _wait_gone(pid)
    finally:
        kairos_apart("stop")


def _wait_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        os.kill(pid, 0)
        time.sleep(0.05)


def test_a_daemon_that_cannot_start_says_why(kairos: Any, kairos_apart: Any, home: Any) -> None:
    home.config_file.write_text("nonsense = 1\n")
    said = kairos_apart("start")
    assert said.code == 2
    assert "there is no setting `nonsense`" in said.err
    assert not home.daemon_lock.exists()


def test_a_daemon_does_not_act_on_a_log_that_a_newer_one_wrote(
    kairos: Any, kairos_apart: Any, seeded: Any, home: Any
) -> None:
    seeded.log.close()
    with sqlite3.connect(home.log) as db:
        db.execute("UPDATE events SET topic = 'FromTheFuture' WHERE position = 2")
    db.close()
    said = kairos_apart("daemon", "run", "--json")
    assert (said.code, said.error["name"]) == (9, "integrity")
    assert "FromTheFuture" in said.error["message"]
    started = kairos_apart("start", "--json")
    assert (started.code, started.error["name"]) == (9, "integrity")
    assert "FromTheFuture" in started.error["message"]


def test_watch_trusts_watches_and_prints_one_line_a_delivery(kairos: Any, repo: Any, kairos_command: list[str]) -> None:
    kairos("config", "set", "attention.quiet_hours", "")
    repo.write("src/pay.py", "def pay(cents):\n    return cents\n")
    repo.write("README.md", "# Shop\n\nSee [pay](src/pay.py).\n")
    repo.commit("a shop")
    with _running(kairos_command, "watch", str(repo.root), "--yes", "--json") as child:
        while _line(child, child.stderr) != "ready\n":
            pass
        repo.git("mv", "src/pay.py", "src/billing.py")
        repo.commit("rename")
        said = json.loads(_line(child, child.stdout))
        found = kairos("inbox", "--json").data
        assert [p["id"] for p in found] == [said["id"]]
        assert found[0]["detector"] == "stale-reference"
        done = kairos("approve", said["id"], "--digest", said["digest"], "--wait", "20", "--json")
        assert (done.code, done.data["state"]) == (0, "executed")
    assert "src/billing.py" in (repo.root / "README.md").read_text()


AWS = "AKIA" + "QWERTYUIOPASDFGH"


def test_watch_beside_a_running_daemon_is_a_view_of_it(
    kairos: Any, repo: Any, kairos_command: list[str], kairos_apart: Any, tmp_path: Any
) -> None:
    """What the daemon delivers is a line, a secret that gets worse is another, and Ctrl-C ends only the view."""
    kairos("config", "set", "attention.quiet_hours", "")
    assert kairos_apart("start").code == 0
    try:
        with _running(kairos_command, "watch", str(repo.root), "--yes", "--json") as child:
            said = ""
            while (line := _line(child, child.stderr)) != "ready\n":
                said += line
            assert "error" not in said and str(repo.root) in said
            repo.write("config/dev.env", f"aws_access_key_id = {AWS}\n")
            repo.git("add", "-A")
            staged = json.loads(_line(child, child.stdout))
            assert (staged["risk"], staged["title"]) == ("urgent", "AWS key in config/dev.env, staged")
            repo.commit("oops")
            committed = json.loads(_line(child, child.stdout))
            assert committed["id"] == staged["id"] and "committed in" in committed["title"]
            child.send_signal(signal.SIGINT)
            assert child.wait(20) == 0
            assert "the daemon goes on" in child.stderr.read().decode()
        assert kairos("status", "--json").data["daemon"]["running"] is True
        with _running(kairos_command, "watch", "--json") as child:
            while _line(child, child.stderr) != "ready\n":
                pass
            assert kairos_apart("stop").code == 0
            assert child.wait(20) == 10
    finally:
        kairos_apart("stop")


def test_daemon_logs_shows_its_own_log(kairos: Any, kairos_apart: Any, seeded: Any, home: Any) -> None:
    assert "No daemon ran here yet" in kairos("daemon", "logs").out
    seeded.log.close()
    assert kairos_apart("start").code == 0
    assert kairos_apart("stop").code == 0
    found = kairos("daemon", "logs", "--json").data
    assert found["path"] == str(home.daemon_log) and found["lines"][-1].endswith("stopped")
    assert kairos("daemon", "logs", "-n", "1").out.count("\n") == 1
    checks = {c["name"]: c for c in kairos("doctor", "--json").data["checks"]}
    assert str(home.daemon_log) in checks["daemon"]["what"] and checks["daemon"]["state"] == "warning"
