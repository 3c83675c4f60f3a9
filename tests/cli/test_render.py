"""What reaches the terminal is inert, aligned and coloured only where it should be."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import render
from cli.context import Context

BIDI = [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C]
ZERO_WIDTH = [0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD, 0x180E]
HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["\x1b[2J\x1b[H", "\x1b]0;title\x07", "\r", "\x9b31m", "\b\b\b", *map(chr, BIDI + ZERO_WIDTH)]),
)


def _dangerous(text: str, *, lines: bool) -> list[str]:
    kept = "\n\t" if lines else ""
    return [c for c in text if c not in kept and (unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))]


@given(st.lists(HOSTILE, max_size=6).map("".join), st.booleans())
def test_inert_text_holds_no_control_bidi_or_zero_width_character(text: str, lines: bool) -> None:
    assert _dangerous(render.inert(text, lines=lines), lines=lines) == []


@given(st.lists(HOSTILE, max_size=6).map("".join), st.booleans())
def test_whatever_reaches_the_terminal_is_inert_even_if_a_leaf_was_forgotten(text: str, colours: bool) -> None:
    shown = render.finished(f"{render.paint(text, 'red')}{text}", colours=colours)
    for code in ("\x1b[31m", "\x1b[0m") if colours else ():
        shown = shown.replace(code, "")
    for mark in range(0xF0000, 0xF0008):
        if chr(mark) in text or chr(0xF00FF) in text:
            return
    assert _dangerous(shown, lines=True) == []


@given(st.lists(st.lists(HOSTILE, min_size=2, max_size=2), min_size=1, max_size=5))
def test_a_table_has_one_line_a_row_whatever_the_cells_hold(rows: list[list[str]]) -> None:
    assert len(render.table(rows).split("\n")) == len(rows)


@given(st.lists(HOSTILE, max_size=6).map("".join).filter(lambda t: t.isprintable() or "\ud800" not in t))
def test_json_means_the_same_and_disturbs_no_terminal(text: str) -> None:
    if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        return
    shown = render.json_text({"a": text})
    assert json.loads(shown) == {"a": text}
    assert not any(ord(c) in BIDI + ZERO_WIDTH or ord(c) < 32 or 0x7F <= ord(c) <= 0x9F for c in shown)


def test_ordinary_text_in_any_script_is_left_alone() -> None:
    assert render.inert("naïve 日本語 “quotes” → ✓") == "naïve 日本語 “quotes” → ✓"


def test_columns_are_aligned_by_what_the_terminal_shows() -> None:
    first, second = render.table([["日本", "x"], ["abcd", "y"]]).split("\n")
    assert first.index("x") + 2 == second.index("y")


def test_colours_follow_the_flag_then_the_environment_then_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    context = Context()
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert render.colours(context, Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert not render.colours(context, Terminal())
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert render.colours(context, Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not render.colours(context, Terminal())
    monkeypatch.delenv("NO_COLOR")
    context.no_color = True
    assert not render.colours(context, Terminal())


def test_a_hostile_title_and_patch_are_shown_escaped(kairos: Any, seeded: Any) -> None:
    evil = "Fix \u202eevil\x1b[2J\u200b"
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\n\x1b[31mred\xe2\x80\xae\r\n"), title=evil)
    for shown in (kairos("inbox"), kairos("show", raised.id), kairos("why", raised.id), kairos("log")):
        assert shown.code == 0
        assert _dangerous(shown.out, lines=True) == []
    assert "\\u202eevil\\x1b[2J\\u200b" in kairos("inbox").out
    assert "+\\x1b[31mred\\u202e\\r" in kairos("show", raised.id).out
    assert kairos("inbox", "--json").data[0]["title"] == evil


def test_colours_are_forced_when_asked(kairos: Any, seeded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seeded.raise_(seeded.note())
    assert "\x1b[" not in kairos("inbox").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[32mnote, low" in kairos("inbox").out
    assert "\x1b[" not in kairos("--no-color", "inbox").out


_ODD = st.text(st.sampled_from('a"\\\n\x7f\u202eé\ud800\udce9\U0001f600'), max_size=6)
_TREES = st.recursive(
    st.none() | st.integers(-(2**53), 2**53) | _ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_ODD, inner, max_size=3),
    max_leaves=8,
)


@given(_TREES)
def test_any_answer_can_be_written(data: object) -> None:
    text = render.json_text(data)
    text.encode("utf-8")
    assert "\n" not in text
    read = json.loads(text)
    try:
        json.dumps(data, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return
    assert read == data
