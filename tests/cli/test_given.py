"""An empty text, as a script's unset variable leaves it, never means "all", "here" or "whatever it is now"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import pytest

from cli.given import AnyText
from cli.main import root
from cli.verbs import VERBS

MAY_BE_EMPTY = {("config", "set", "value")}


def texts(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Parameter]]:
    """Every option and argument that takes a value, with the words that lead to its command."""
    for param in command.params:
        if not (isinstance(param, click.Option) and (param.is_flag or param.count)):
            yield words, param
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from texts(below, (*words, name))


def everything() -> list[tuple[tuple[str, ...], click.Parameter]]:
    context = click.Context(root)
    found = list(texts(click.Command("root", params=root.params), ()))
    for verb in VERBS:
        command = root.get_command(context, verb)
        assert command is not None
        found += texts(command, (verb,))
    return found


ALL = everything()


def call(words: tuple[str, ...], wanted: click.Parameter, value: str) -> list[str]:
    """A command line that gives `wanted` this value, and everything else that is required something."""
    command: click.Command = root
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    options, arguments = [], []
    for param in command.params:
        if param is wanted or param.required:
            given = value if param is wanted else "1"
            if isinstance(param, click.Option):
                options += [f"{param.opts[0]}={given}" if param.opts[0].startswith("--") else param.opts[0]]
                options += [] if param.opts[0].startswith("--") else [given]
            else:
                arguments.append(given)
    return [*words, *options, "--", *arguments] if arguments else [*words, *options]


@pytest.mark.parametrize("value", ["", " ", "\t", " \n"])
@pytest.mark.parametrize(("words", "param"), ALL, ids=[f"{'-'.join(w)}:{p.name}" for w, p in ALL])
def test_an_empty_value_is_refused_everywhere(
    kairos: Any, seeded: Any, words: tuple[str, ...], param: click.Parameter, value: str
) -> None:
    seeded.raise_(seeded.note())
    before = seeded.log.head()
    said = kairos(*call(words, param, value))
    if (*words, param.name) in MAY_BE_EMPTY:
        assert isinstance(param.type, AnyText)
        return
    assert said.code == 2, said
    assert said.out == ""
    assert seeded.log.head() == before


def test_no_option_loses_that_it_was_empty_on_its_way() -> None:
    """A type that makes a path of it makes `.` of an empty one."""
    assert [
        p.name for _, p in ALL if getattr(p.type, "type", None) is not None and isinstance(p.type, click.Path)
    ] == []


def test_an_empty_digest_approves_nothing(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    said = kairos("approve", raised.id, "--digest", "", "--json")
    assert (said.code, said.error["name"]) == (2, "usage")
    assert "--digest" in said.error["message"]
    assert [p["state"] for p in kairos("inbox", "--json").data] == ["pending"]


def test_an_empty_repository_is_not_all_of_them(kairos: Any, seeded: Any) -> None:
    for args in (["--repo", "", "inbox"], ["inbox", "--repo="], ["mute", "secret", "--repo", " "]):
        assert kairos(*args).code == 2


def test_an_empty_home_is_not_another_one(kairos: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kairos("--home", "", "config", "path").code == 2
    for empty in ("", "  "):
        monkeypatch.setenv("KAIROS_HOME", empty)
        said = kairos("status")
        assert said.code == 2 and "KAIROS_HOME" in said.err


@pytest.mark.parametrize(
    "args",
    [
        ["approve", "ab", "--yes", "--wait", "inf"], ["approve", "ab", "--yes", "--wait", "nan"],
        ["log", "--after", "9" * 30], ["log", "--limit", "9" * 30], ["compact", "--dry-run", "--fold-after", "nan"],
        ["forget", "--position", "9" * 30, "-m", "r", "--yes"], ["sandbox", "run", "--wall", "inf", "true"],
        ["sandbox", "run", "--wall", "nan", "true"], ["sandbox", "run", "--mem", "9" * 14, "true"],
        ["sandbox", "run", "--pids", "9" * 14, "true"], ["sandbox", "run", "--out", "9" * 30, "true"],
        ["sandbox", "run", "--disk", "9" * 14, "true"], ["pause", "999999w"], ["log", "--since", "999999w"],
        ["why-not", "--since", "999999w"], ["defer", "ab", "--until", "999999w"], ["replay", "--at", "999999w"],
        ["init", ".", "--history", "²"], ["init", ".", "--history", "9" * 5_000], ["log", "verify", "--anchor", "²:aa"],
        ["replay", "--at", "²"], ["status", "--home", "~nobody-of-this-name/x"],
        ["inbox", "--repo", "~nobody-of-this-name/x"], ["files", "~nobody-of-this-name/x"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_is_no_number_time_or_path_is_a_usage_error(kairos: Any, seeded: Any, args: list[str]) -> None:
    before = seeded.log.head()
    assert kairos(*args).code == 2
    assert seeded.log.head() == before


@pytest.mark.parametrize("what", ["²", "9" * 5_000, "٣"])
def test_digits_of_another_kind_are_no_position(kairos: Any, seeded: Any, what: str) -> None:
    assert kairos("why", what).code == 4
