"""The global flags, and the desk that they select."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.context import Context
from kairos.errors import NotFound, UsageError


class Tty:
    def __init__(self, answer: bool) -> None:
        self.isatty = lambda: answer


@pytest.fixture
def context(home: Any) -> Iterator[Context]:
    made = Context()
    yield made
    made.close()


def test_closing_is_harmless_to_repeat_and_opens_nothing(context: Context, home: Any) -> None:
    context.close()
    context.close()
    assert not home.log.exists()


def test_the_flag_for_a_home_wins_over_the_environment(context: Context, home: Any, tmp_path: Path) -> None:
    assert context.desk.home.data == home.data
    other = Context()
    other.home_override = str(tmp_path / "other")
    assert other.desk.home.data == tmp_path / "other"


def test_the_flag_for_a_repository_is_a_directory_that_is_registered(
    context: Context, seeded: Any, tmp_path: Path
) -> None:
    assert context.only() is None
    context.repo = str(seeded.root)
    assert context.only().id == seeded.id
    context.repo = str(tmp_path / "none")
    with pytest.raises(UsageError):
        context.only()
    context.repo = str(tmp_path)
    with pytest.raises(NotFound):
        context.only()


@pytest.mark.parametrize(
    ("stdin", "stdout", "flag", "asked"),
    [
        (True, True, "", True), (True, False, "", False), (False, True, "", False), (True, True, "json", False),
        (True, True, "no_input", False),
    ],
)  # fmt: skip
def test_a_question_is_asked_only_where_somebody_can_answer(
    context: Context, monkeypatch: pytest.MonkeyPatch, stdin: bool, stdout: bool, flag: str, asked: bool
) -> None:
    monkeypatch.setattr(sys, "stdin", Tty(stdin))
    monkeypatch.setattr(sys, "stdout", Tty(stdout))
    if flag:
        setattr(context, flag, True)
    assert context.interactive() is asked
    monkeypatch.setattr(sys, "stdin", None)
    assert not context.interactive(), "a closed stream asks nobody"
