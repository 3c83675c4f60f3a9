"""Text that fits a terminal: columns, wrapping, and nothing left out."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.layout import CLOSE, MARKS, OPEN, cut, paint, table, width, wrapped

TEXT = st.text(st.sampled_from("ab cdé日本𝒳e\u0301ก\u0e31한"), max_size=60)
ROWS = st.lists(st.tuples(TEXT, TEXT, TEXT, st.text("abcdef", max_size=6)), min_size=1, max_size=5)


def bare(text: str) -> str:
    return "".join(c for c in text if c not in MARKS)


def letters(text: str) -> str:
    return "".join(bare(text).split())


@given(TEXT, st.integers(2, 30))
def test_a_wrapped_text_fits_and_says_the_same(text: str, columns: int) -> None:
    lines = wrapped(text, columns, hang="  ")
    assert all(width(line) <= columns for line in lines)
    assert letters("".join(lines)) == letters(text)


@given(TEXT, st.integers(4, 30))
def test_a_style_goes_on_on_the_next_line_and_never_leaks(text: str, columns: int) -> None:
    lines = wrapped(f"{OPEN['red']}{text}{CLOSE} plain words", columns)
    for line in lines:
        marks = [c for c in line if c in MARKS]
        assert marks == [m for pair in zip(marks[::2], marks[1::2], strict=False) for m in pair]
        assert not marks or marks[-1] == CLOSE


@given(ROWS, st.integers(20, 120))
def test_a_table_fits_any_terminal_from_20_columns_and_leaves_nothing_out(
    rows: list[tuple[str, ...]], columns: int
) -> None:
    text = table(rows, columns=columns)
    assert all(width(line) <= columns for line in text.split("\n"))
    assert sorted(letters(text)) == sorted(letters("".join(cell for row in rows for cell in row)))


@given(ROWS)
def test_a_table_elsewhere_has_one_line_a_row(rows: list[tuple[str, ...]]) -> None:
    assert len(table(rows).split("\n")) == len(rows)


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_a_terminal_shows_a_table_without_breaking_a_line(columns: int) -> None:
    rows = [
        ["ID", "RISK", "AGE", "REPO", "WHAT", "WHY NOW"],
        ["qzvt", "low", "4m", "api", "Update 3 references to renamed src/pay.py", "you committed (ev 8 812)"],
        ["日本日本", "urgent", "2h", "a-very-long-repository-name", "e\u0301" * 20, "x" * 90],
    ]
    lines = table(rows, columns=columns).split("\n")
    screen = pyte.Screen(columns, len(lines) + 5)
    pyte.Stream(screen).feed("\r\n".join(lines))
    assert screen.cursor.y == len(lines) - 1
    assert max(map(width, lines)) <= columns


@given(TEXT, st.integers(0, 20))
def test_a_cut_text_fits_and_says_that_it_was_cut(text: str, columns: int) -> None:
    shown = cut(text, columns)
    assert width(shown) <= columns
    assert shown == text or shown == "" or shown.endswith("…")


def test_widths_of_what_a_terminal_shows() -> None:
    assert [width(t) for t in ("abc", "日本", "e\u0301", "ก\u0e31", "✓ –", paint("x", "red"))] == [3, 4, 1, 1, 3, 1]


def test_tabs_become_spaces_up_to_the_next_stop() -> None:
    assert wrapped("+\tx", 20) == ["+       x"]


@pytest.mark.parametrize("columns", [30, 40])
def test_a_row_that_does_not_fit_begins_with_the_cell_that_names_it(columns: int) -> None:
    rows = [["DETECTOR", "STATE", "PRECISION HERE"], ["stale-reference", "off", "67% (16%–99%), an estimate"]]
    lines = table(rows, columns=columns).split("\n")
    assert lines[0].split() == ["DETECTOR", "STATE"]
    assert [line.split()[0] for line in lines if not line.startswith("    ")] == ["DETECTOR", "stale-reference"]
    assert all(len(line) <= columns for line in lines)


def test_a_row_whose_name_is_too_long_for_one_line_has_it_alone_above() -> None:
    name = "a-detector-with-a-very-long-name"
    lines = table([[name, "off", "told long ago, and never again"]], columns=30).split("\n")
    assert "".join(line.strip() for line in lines[:2]) == name and lines[2].split() == ["off"]
