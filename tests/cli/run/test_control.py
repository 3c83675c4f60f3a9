"""`pause`, `resume`, `mute`, `config`, `service`, `doctor`, and what the daemon says of itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from kairos._version import VERSION
from kairos.daemon.presence import RepoStatus, Status, claim, publish


def test_pause_holds_until_resumed_and_is_in_the_log(kairos: Any, seeded: Any) -> None:
    assert kairos("pause", "--json").data["until"] is None
    assert kairos("status", "--json").data["paused"] is True
    assert "Next: kairos resume" in kairos().out
    assert kairos("resume", "--json").data["paused"] is False
    assert kairos("resume", "--json").data["position"] is None
    assert kairos("status", "--json").data["paused"] is False
    types = [line.split()[2] for line in kairos("log", "--after", "5").out.splitlines()]
    assert types == ["Paused", "Resumed"]


def test_a_pause_takes_a_duration(kairos: Any, seeded: Any) -> None:
    assert kairos("pause", "2h", "--json").data["until"].endswith("Z")
    for bad in ("later", "next-commit", "2"):
        assert kairos("pause", bad).code == 2


def test_mute_is_everywhere_or_in_one_repository(kairos: Any, seeded: Any) -> None:
    assert kairos("mute", "secret", "--json").data["repo"] is None
    here = kairos("mute", "conflict-marker", "--repo", seeded.root, "--json").data
    assert here["repo"] == str(seeded.root)
    assert seeded.log.at(here["position"]).event.repo == seeded.id
    assert kairos("unmute", "secret", "--json").data["muted"] is False
    said = kairos("mute", "nonsense")
    assert said.code == 2 and "stale-reference" in said.err


def test_config_round_trips_and_refuses_wrong_keys(kairos: Any, home: Any) -> None:
    assert kairos("config", "set", "attention.per_day", "7").code == 0
    assert kairos("config", "get", "attention.per_day").out == "7\n"
    before = home.config_file.read_bytes()
    for key, value in (("attention.nonsense", "1"), ("attention.per_day", "many"), ("attention.quiet_hours", "9")):
        said = kairos("config", "set", key, value, "--json")
        assert (said.code, said.error["name"]) == (2, "usage")
    assert home.config_file.read_bytes() == before
    assert kairos("config", "get", "no.such").code == 2
    assert "attention.per_day = 7" in kairos("config", "get").out


def test_a_config_with_a_wrong_key_names_it(kairos: Any, seeded: Any, home: Any) -> None:
    raised = seeded.raise_(seeded.note())
    home.config_file.write_text("[attention]\nper_dya = 3\n")
    for args in (["config", "get"], ["approve", raised.id, "--yes"], ["inbox"], ["status", "--json"], [], ["log"]):
        said = kairos(*args)
        assert said.code == 2
        assert "attention.per_dya" in said.err
    assert kairos("config", "path").code == 0


EVERY_KIND = (
    [], ["status"], ["inbox"], ["review"], ["show", "ab"], ["why", "1"], ["why-not"], ["approve", "ab", "--yes"],
    ["reject", "ab", "-m", "no"], ["defer", "ab", "--until", "2h"], ["undo", "--yes"], ["log"], ["log", "verify"],
    ["log", "anchor"], ["replay"], ["dream"], ["memory", "ls"], ["daemon", "run"], ["start"], ["resume"],
    ["mute", "secret"], ["config", "get"], ["compact"], ["service", "install", "--print"],
    ["forget", "--path", "a", "-m", "r", "--yes"],
)  # fmt: skip


@pytest.mark.parametrize("args", EVERY_KIND)
def test_a_number_out_of_range_is_said_by_every_command(kairos: Any, seeded: Any, home: Any, args: list[str]) -> None:
    before = seeded.log.head()
    home.config_file.write_text("[model]\nper_day_usd = inf\n")
    said = kairos(*args)
    assert said.code == 2
    if args != ["review"]:  # which first wants a terminal
        assert "model.per_day_usd is inf; it must be a number from 0 to 100 000" in said.err
    assert seeded.log.head() == before


def test_what_stops_everything_works_with_a_wrong_configuration(kairos: Any, seeded: Any, home: Any) -> None:
    home.config_file.write_text("[model]\nper_day_usd = -1\n")
    said = kairos("pause", "--json")
    assert said.code == 0 and said.data["paused"]
    assert "model.per_day_usd is -1" in said.err
    assert seeded.log.at(said.data["position"]).topic == "Paused"
    assert kairos("stop").code == 10
    assert kairos("config", "set", "model.per_day_usd", "1").code == 0
    assert kairos("inbox").code == 0


def test_a_daemon_of_another_version_is_noticed(kairos: Any, home: Any, repo: Any) -> None:
    with claim(home):
        publish(home, Status(pid=os.getpid(), program=VERSION, repos=[]))
        assert kairos("status").err == ""
        publish(home, Status(pid=os.getpid(), program="0.0.9", repos=[]))
        said = kairos("status", "--json")
        assert said.code == 0 and said.data["daemon"] == {"running": True, "pid": os.getpid()}
        assert "the daemon is version 0.0.9" in said.err
        assert "version" in [c["name"] for c in kairos("doctor", "--json").data["checks"] if c["state"] == "problem"]


def test_status_shows_what_the_daemon_says(kairos: Any, seeded: Any, home: Any) -> None:
    why = "2 directories are polled. Raise the limit."
    told = RepoStatus(path=str(seeded.root), state="degraded", directories=9, watched=7, polled=2, ignored=1, why=why)
    with claim(home):
        publish(home, Status(pid=os.getpid(), program=VERSION, repos=[told]))
        data = kairos("status", "--json").data
        counted = {"directories": 9, "watched": 7, "polled": 2, "ignored": 1, "why": why}
        assert data["repos"] == [{"path": str(seeded.root), "state": "degraded", **counted, "held_by": None}]
        assert data["log"]["head"] == data["log"]["events"] == 5
        assert data["log"]["bytes"] > 0
        assert "1 degraded" in kairos("status", "--short").out
        assert "2 polled" in kairos("status").out and f"→ {why}" in kairos("status").out
    assert kairos("status", "--json").data["repos"][0]["state"] == "stopped"


def test_stop_without_a_daemon_is_exit_10(kairos: Any) -> None:
    said = kairos("stop", "--json")
    assert (said.code, said.error["name"]) == (10, "no_daemon")


def test_a_second_daemon_is_exit_11_at_once(kairos: Any, home: Any) -> None:
    with claim(home):
        said = kairos("daemon", "run", "--json")
        assert (said.code, said.error["name"]) == (11, "locked")
        assert "ready" not in said.err.splitlines()


@pytest.fixture
def config_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    return tmp_path / "xdg"


def test_a_service_starts_this_program_on_this_home(kairos: Any, home: Any, config_home: Path) -> None:
    unit = config_home / "systemd" / "user" / "kairos.service"
    printed = kairos("service", "install", "--print").out
    assert not unit.exists()
    assert kairos("service", "install").code == 0
    assert unit.read_text() == printed
    start = next(line for line in printed.splitlines() if line.startswith("ExecStart="))
    assert f'"--home" "{home.data}" "daemon" "run"' in start and '"-P"' in start
    assert "up to date" in kairos("service", "status").out
    assert kairos("service", "uninstall").code == 0
    assert not unit.exists()
    assert kairos("service", "uninstall").code == 0


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


def test_a_daemon_that_is_misconfigured_says_everything_at_once(kairos: Any, home: Any) -> None:
    home.config_file.write_text(
        "[model]\nper_day_usd = inf\n[attention]\nper_day = -1\n[watching]\nobserver = 'ebpf'\n"
    )
    for args in (["daemon", "run"], ["start"], ["watch"]):
        said = kairos(*args)
        assert said.code == 2
        for key in ("model.per_day_usd", "attention.per_day", "watching.observer"):
            assert key in said.err
    assert not home.daemon_lock.exists()


def test_setting_one_of_several_wrong_settings_warns_of_the_rest(kairos: Any, home: Any) -> None:
    home.config_file.write_text("[model] # mine\nper_day_usd = inf\n[attention]\nper_day = -1\n")
    said = kairos("config", "set", "attention.per_day", "3")
    assert said.code == 0 and "model.per_day_usd is inf" in said.err
    said = kairos("config", "set", "model.per_day_usd", "3")
    assert said.code == 0 and said.err == ""
    assert "# mine" in home.config_file.read_text()


def test_a_tick_needs_a_daemon(kairos: Any) -> None:
    assert kairos("tick", "--json").code == 10
