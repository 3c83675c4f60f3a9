"""`config`, and what every command does with a wrong configuration."""

from __future__ import annotations

from typing import Any

import pytest


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


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("notify.command", "notify-send", """config set notify.command '["notify-send", "Kairos"]'"""),
        ("log.url", "postgres", "postgresql://USER@HOST/DATABASE"),
        ("log.url", "sqlite:///x", "empty for a log in the home"),
        ("check.command", "pytest", """config set 'check."/path/to/repo".command' '["make", "test"]'"""),
        ('check."/a".command', "pytest", """'["make", "test"]'"""),
    ],
)
def test_a_setting_that_is_no_word_is_refused_with_an_example(
    kairos: Any, home: Any, key: str, value: str, hint: str
) -> None:
    said = kairos("config", "set", key, value)
    assert said.code == 2 and hint in said.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[attention]\nper_day = 3\nidle_minutes = "x"\n', "line 3: attention.idle_minutes is `x`"),
        ("[attention]\nper_day = = 3\n", "(at line 2, column 11): per_day = = 3"),
        ("[attention\nper_day = 3\n", "(at line 1, column 11): [attention"),
        ("a = 1\n[log]\nurl = 5\n", "line 1: there is no setting `a`"),
        ('[check."/x"]\nseconds = -1\n', 'line 2: check."/x".seconds is -1'),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_line_and_key(kairos: Any, home: Any, text: str, said: str) -> None:
    home.config_file.write_text(text)
    assert said in kairos("status").err
