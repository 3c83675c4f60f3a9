"""`doctor`: what it finds, and what it fixes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from kairos._version import VERSION
from kairos.daemon.presence import RepoStatus, Status, claim, publish


def _check(kairos: Any, name: str) -> Any:
    data = kairos("doctor", "--json").data
    return next(c for c in data["checks"] if c["name"] == name)


def test_an_open_home_is_refused_by_every_command_and_told_by_the_doctor(kairos: Any, seeded: Any, home: Any) -> None:
    home.config.chmod(0o777)
    for args in ([], ["status", "--json"], ["inbox"], ["pause"], ["stop"], ["config", "get"], ["log"], ["dream"]):
        said = kairos(*args)
        assert said.code == 6 and f"chmod go-w {home.config}" in said.err
    said = kairos("doctor", "--json")
    assert said.code == 1
    [only] = said.data["checks"]
    assert (only["name"], only["state"]) == ("home", "problem")
    assert f"chmod go-w {home.config}" in only["hint"]


def test_doctor_tightens_an_open_home(kairos: Any, seeded: Any, home: Any) -> None:
    for path, mode in ((home.config, 0o777), (home.run, 0o770), (home.log, 0o666)):
        path.chmod(mode)
    home.config_file.write_text("")
    home.config_file.chmod(0o622)
    said = kairos("doctor", "--fix", "--json")
    assert said.code == 0
    assert next(c for c in said.data["checks"] if c["name"] == "home")["fixed"]
    assert [oct(p.stat().st_mode & 0o777) for p in (home.config, home.run, home.log, home.config_file)] == [
        "0o755", "0o750", "0o644", "0o600"
    ]  # fmt: skip
    assert kairos("inbox").code == 0
    assert _check(kairos, "home")["state"] == "ok"


def test_doctor_does_not_tighten_what_is_not_of_the_home(kairos: Any, seeded: Any, home: Any) -> None:
    home.config.parent.chmod(0o777)
    said = kairos("doctor", "--fix", "--json")
    assert said.code == 1
    assert f"chmod go-w {home.config.parent}" in said.data["checks"][0]["hint"]
    assert home.config.parent.stat().st_mode & 0o777 == 0o777


def test_doctor_is_content_with_a_healthy_home(kairos: Any, seeded: Any) -> None:
    said = kairos("doctor", "--json")
    assert said.code == 0, said.out
    assert said.data["ok"] is True


def test_doctor_finds_a_broken_log(kairos: Any, home: Any) -> None:
    home.log.write_bytes(b"garbage" * 900)
    said = kairos("doctor", "--json")
    assert said.code == 1
    assert _check(kairos, "log")["state"] == "problem"


def test_doctor_finds_a_missing_git(kairos: Any, seeded: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _check(kairos, "git")["state"] == "problem"


def test_doctor_finds_a_missing_model_key(kairos: Any, home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _check(kairos, "model")["state"] == "ok"
    kairos("config", "set", "model.name", "openai/x")
    kairos("config", "set", "model.key_env", "KAIROS_TEST_KEY")
    assert "KAIROS_TEST_KEY is not set" in _check(kairos, "model")["what"]
    monkeypatch.setenv("KAIROS_TEST_KEY", "k")
    assert _check(kairos, "model")["state"] == "ok"
    with claim(home):
        assert "running daemon" in _check(kairos, "model")["what"]


def test_doctor_finds_a_stale_lock(kairos: Any, seeded: Any, home: Any) -> None:
    lock = seeded.root / ".git" / "index.lock"
    lock.touch()
    assert _check(kairos, "locks")["state"] == "ok"
    os.utime(lock, (1, 1))
    assert _check(kairos, "locks")["state"] == "problem"
    lock.unlink()
    with claim(home):
        publish(home, Status(pid=1, program=VERSION, repos=[]))
    assert _check(kairos, "locks")["state"] == "ok", "a daemon that ends takes its status with it"
    publish(home, Status(pid=1, program=VERSION, repos=[]))  # as one that was killed leaves it
    assert _check(kairos, "locks")["state"] == "warning"
    assert kairos("doctor", "--fix").code == 0
    assert _check(kairos, "locks")["state"] == "ok"


def test_doctor_finds_exhausted_watches(kairos: Any, seeded: Any, home: Any) -> None:
    told = RepoStatus(path=str(seeded.root), state="degraded", directories=9, watched=7, polled=2, ignored=0)
    with claim(home):
        publish(home, Status(pid=os.getpid(), program=VERSION, repos=[told]))
        found = _check(kairos, "inotify")
    assert found["state"] == "problem" and "2 directories are polled" in found["what"]


def test_doctor_finds_a_repository_that_is_gone(kairos: Any, seeded: Any) -> None:
    seeded.root.rename(seeded.root.with_name("elsewhere"))
    found = _check(kairos, "repositories")
    assert found["state"] == "problem" and "is gone" in found["what"] and "kairos unwatch" in found["hint"]


def test_doctor_finds_a_repository_that_cannot_be_read(kairos: Any, seeded: Any) -> None:
    (seeded.root / ".git/HEAD").write_bytes(b"")
    found = _check(kairos, "repositories")
    assert found["state"] == "problem" and "HEAD is empty" in found["what"] and "branch" in found["hint"]


def test_doctor_says_what_the_daemon_says_of_a_repository(kairos: Any, seeded: Any, home: Any) -> None:
    told = RepoStatus(
        path=str(seeded.root), state="degraded", directories=0, watched=0, polled=0, ignored=0, why="its sensor failed"
    )
    with claim(home):
        publish(home, Status(pid=os.getpid(), program=VERSION, repos=[told]))
        found = _check(kairos, "repositories")
    assert found["state"] == "problem" and "its sensor failed" in found["what"]


def test_doctor_finds_a_wrong_configuration(kairos: Any, home: Any) -> None:
    home.config_file.write_text("nonsense = 1\n")
    assert _check(kairos, "configuration")["state"] == "problem"


def test_doctor_names_everything_wrong_with_configuration_and_policy(kairos: Any, home: Any) -> None:
    home.config_file.write_text("nonsense = 1\n[model]\nper_day_usd = nan\n[attention]\nper_day = -1\n")
    home.policy_file.write_text("mode = 'yolo'\n[[rule]]\nname = 'a'\neffect = 'allow'\npahts = ['x']\n")
    found = _check(kairos, "configuration")
    for key in (
        "nonsense",
        "model.per_day_usd",
        "attention.per_day",
        "mode is `yolo`",
        "rule[0].pahts",
        "rule[0].paths",
    ):
        assert key in found["what"]
