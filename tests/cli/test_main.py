"""The frame: flags anywhere, help everywhere, errors in their stable form."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest

from cli.context import Context
from cli.main import root
from cli.verbs import OTHER_WORDS, VERBS
from kairos._version import VERSION


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_takes_the_global_flags(kairos: Any, verb: str) -> None:
    said = kairos(verb, "-h")
    assert said.code == 0
    for flag in ("--json", "--no-color", "--no-input", "--repo", "--home", "--version"):
        assert flag in said.out
    assert "Usage: kairos" in said.out


def test_a_command_first_met_without_the_root_knows_the_short_flag_too() -> None:
    found = root.get_command(click.Context(root), "completion")
    assert found is not None
    with found.make_context("completion", ["bash"], obj=Context()) as made:
        assert made.help_option_names == ["-h", "--help"]


def test_every_command_explains_itself() -> None:
    def walk(command: click.Command) -> None:
        assert command.help, command.name
        if isinstance(command, click.Group):
            for below in command.commands.values():
                walk(below)

    context = click.Context(root)
    for verb in VERBS:
        found = root.get_command(context, verb)
        assert found is not None
        walk(found)


def test_the_help_lists_every_verb_but_the_alias(kairos: Any) -> None:
    said = kairos("--help").out
    listed = {line.split()[0] for line in said.splitlines() if line.startswith("  ") and line.split()}
    assert {verb for verb, about in VERBS.items() if about.section} <= listed
    assert "ls" not in listed


@pytest.mark.parametrize("args", [["--json", "status"], ["status", "--json"]])
def test_a_global_flag_works_before_and_after_the_verb(kairos: Any, args: list[str]) -> None:
    assert json.loads(kairos(*args).out)["schema"] == "kairos.status/1"


def test_the_home_of_the_flag_wins_over_the_environment(kairos: Any, tmp_path: Any) -> None:
    assert kairos("config", "path", "--home", tmp_path / "x").out.strip() == str(tmp_path / "x" / "config.toml")


def test_kairos_alone_is_the_status_and_the_next_command(kairos: Any) -> None:
    said = kairos()
    assert said.code == 0
    assert "daemon not running" in said.out
    assert said.out.rstrip().endswith("Next: kairos watch PATH")


def test_the_version_is_printed(kairos: Any) -> None:
    assert kairos("--version").out == f"kairos {VERSION}\n"
    assert kairos("inbox", "--version", "--json").data == {"version": VERSION}


def test_an_unknown_verb_is_a_usage_error_with_a_suggestion(kairos: Any) -> None:
    said = kairos("statis")
    assert said.code == 2
    assert said.out == ""
    assert "Did you mean `kairos status`?" in said.err


@pytest.mark.parametrize("args", [["status", "--nope"], ["show"], ["log", "--limit", "x"], ["log", "--limit", "-1"]])
def test_click_usage_errors_have_the_same_form_and_exit_2(kairos: Any, args: list[str]) -> None:
    said = kairos(*args, "--json")
    assert said.code == 2
    assert said.error["code"] == 2
    assert said.error["name"] == "usage"
    assert "See `kairos" in said.error["hint"]
    assert kairos(*args).err.startswith("error: ")


def test_json_after_a_double_dash_belongs_to_the_other_program(kairos: Any) -> None:
    assert kairos("status", "--", "--json").err.startswith("error: ")


def test_looking_at_an_empty_home_creates_nothing(kairos: Any, tmp_path: Any) -> None:
    empty = tmp_path / "nothing"
    for args in (["status"], ["inbox"], ["log"], ["why-not"], ["config", "get"], ["log", "verify"], ["log", "anchor"]):
        assert kairos(*args, "--home", empty).code == 0
    assert kairos("why", "x", "--home", empty).code == 4
    assert not empty.exists()


@pytest.mark.parametrize("args", [["status"], ["init", "."], ["pause"], ["daemon", "run"], ["log"]])
def test_a_home_that_is_a_file_is_a_usage_error(kairos: Any, tmp_path: Any, args: list[str]) -> None:
    (tmp_path / "file").touch()
    said = kairos(*args, "--json", "--home", tmp_path / "file")
    if args != ["log"]:  # where there is no log, nothing is wrong with reading none
        assert (said.code, said.error["name"]) == (2, "usage")
        assert "--home" in said.error["hint"] or args[0] == "init"


def test_without_git_a_repository_is_not_called_a_wrong_path(
    kairos: Any, repo: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = kairos("init", repo.root, "--yes", "--json")
    assert said.code == 1
    assert "git is not installed" in said.error["message"] and said.error["hint"]


def test_a_closed_pipe_ends_quietly(seeded: Any, kairos_command: list[str]) -> None:
    seeded.log.append([seeded.event(f"note {n} " + "x" * 500) for n in range(400)])
    with subprocess.Popen([*kairos_command, "log", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        said = child.stderr.read()
    assert child.returncode == 141
    assert said == b""


def test_a_full_disk_under_the_output_is_try_again(seeded: Any, kairos_command: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*kairos_command, "log", "--json"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 75
    assert json.loads(done.stderr)["error"]["name"] == "try_again"


@pytest.mark.parametrize(
    "args", [["export", "a\0b"], ["log", "import", "\0"], ["show", "\0"], ["sandbox", "--root=\0"]]
)
def test_a_nul_byte_in_an_argument_is_refused(kairos: Any, args: list[str]) -> None:
    said = kairos(*args)
    assert said.code == 2
    assert "NUL byte" in said.err


def test_a_group_without_a_command_says_which_there_are_and_not_its_whole_help(kairos: Any) -> None:
    said = kairos("policy")
    assert said.code == 2 and said.err.startswith("error: `kairos policy` needs one of allow, ls,")
    assert "Usage:" not in said.err and "See `kairos policy --help`." in said.err


def test_an_unknown_command_of_a_group_is_refused_in_the_same_words_as_an_unknown_verb(kairos: Any) -> None:
    assert kairos("policy", "bla").err.startswith("error: there is no command `policy bla`")
    assert kairos("bla").err.startswith("error: there is no command `bla`")


def test_a_word_that_other_programs_use_for_a_verb_leads_to_it(kairos: Any) -> None:
    assert "Did you mean `kairos defer`?" in kairos("snooze").err
    assert set(OTHER_WORDS.values()) <= set(VERBS) and not set(OTHER_WORDS) & set(VERBS)
