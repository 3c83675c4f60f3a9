"""Footers and scrolling keys of a screen."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.console.screen import Screen, scrolled
from cli.console.viewport import opened
from cli.context import Context
from cli.layout import width


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LINES", "10")
    return Screen(Context(), cast(Any, SimpleNamespace(full=True)))


def test_a_footer_fits_and_never_takes_more_than_half_a_screen(screen: Screen) -> None:
    footer = screen.footer("an error that has very much to say " * 20, "1 of 3", "[y n ?] ")
    assert len(footer) <= 5
    assert footer[-1] == "[y n ?] "
    assert all(width(line) <= 40 for line in footer)
    assert screen.rows_above(footer) == 10 - len(footer)


def test_an_empty_text_takes_no_line(screen: Screen) -> None:
    assert screen.footer("", "1 of 3", "> ") == ["1 of 3", "> "]


@pytest.mark.parametrize(
    ("key", "top"), [("down", 1), ("up", 0), ("space", 4), ("pgdn", 4), ("end", 15), ("home", 0)]
)  # fmt: skip
def test_keys_that_scroll(key: str, top: int) -> None:
    view = scrolled(opened([["line"] * 20], 5), key)
    assert view is not None and view.top == top


def test_any_other_key_scrolls_nothing() -> None:
    assert [scrolled(opened([["line"]], 5), key) for key in ("y", "enter", "redraw", "")] == [None] * 4
