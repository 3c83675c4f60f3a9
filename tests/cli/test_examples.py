"""Every command that needs words has an example, and every example is a call that would be understood."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from cli.context import Context
from cli.examples import EXAMPLES
from cli.main import root
from cli.verbs import VERBS


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command as typed, without aliases."""
    context = click.Context(root)
    for name in (n for n, verb in VERBS.items() if verb.section):
        found = root.get_command(context, name)
        assert found is not None
        yield from below(name, found)


def below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for word, inner in command.commands.items():
            yield from below(f"{name} {word}", inner)


def test_every_command_that_needs_words_has_an_example() -> None:
    known = dict(commands())
    needy = {name for name, command in known.items() if any(p.required for p in command.params)}
    assert needy <= set(EXAMPLES) <= set(known)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_is_understood(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kairos.ndjson").touch()
    words = shlex.split(EXAMPLES[name])
    assert words[: 1 + len(name.split())] == ["kairos", *name.split()]
    command = dict(commands())[name]
    rest = words[1 + len(name.split()) :]
    with command.make_context(name, rest, obj=Context()) as made:
        assert not made.args


def test_a_call_without_its_words_shows_the_example(kairos: Any) -> None:
    for words in (["reject"], ["reject", "qzvt"], ["defer", "qzvt"]):
        said = kairos(*words)
        assert said.code == 2 and f"For example: {EXAMPLES[words[0]]}" in said.err
    assert f"For example: {EXAMPLES['defer']}" in kairos("defer", "--help").out
