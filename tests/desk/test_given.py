"""Whole numbers and paths, as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.desk.given import place, refuse_unkept, typed, whole
from kairos.errors import UsageError


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("12", 12), ("", None), ("-1", None), ("²", None), ("1e3", None)]
)
def test_whole_numbers_are_plain_digits(text: str, number: int | None) -> None:
    assert whole(text) == number


def test_a_circle_of_links_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(UsageError):
        place(str(tmp_path / "a"))


def test_the_home_of_nobody_is_no_path() -> None:
    with pytest.raises(UsageError):
        typed("~nobody-of-this-name/x")


@pytest.mark.parametrize(
    ("command", "folders"),
    [
        ([], []), ([""], []), (["a\0b"], []), (["a"], ["b\0"]), (["curl", "-H", "AWS=AKIAQ3EGRT5HZX7WLMNP"], []),
        (["a"], ["/srv/AKIAQ3EGRT5HZX7WLMNP"]),
    ],
)  # fmt: skip
def test_a_command_that_cannot_be_kept_as_typed_is_refused(command: list[str], folders: list[str]) -> None:
    with pytest.raises(UsageError):
        refuse_unkept(command, folders, "kairos check add -- true")
    refuse_unkept(["pytest", "-q"], ["/srv"], "kairos check add -- true")
