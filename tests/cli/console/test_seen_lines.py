"""Which lines have been on the screen, beside a plain model: a line was seen if each of its rows was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cli.console.seen_lines import LineId, PartLines, SeenLines, laid_out

HEIGHTS = st.lists(st.integers(0, 4), min_size=1, max_size=8)
WINDOWS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=10)


def part(name: str, heights: list[int]) -> PartLines:
    return PartLines(name, [["row"] * height for height in heights])


@given(HEIGHTS, HEIGHTS, WINDOWS)
def test_a_line_was_seen_if_each_of_its_rows_was(
    one: list[int], two: list[int], windows: list[tuple[int, int]]
) -> None:
    layout = laid_out([part("one", one), part("two", two)])
    total, seen, shown = sum(one) + sum(two), SeenLines(), set[int]()
    for top, rows in windows:
        bottom = min(top + rows, total)
        seen.look(layout, top, bottom)
        shown |= set(range(top, bottom))
    wanted = {line.id for line in layout if shown.issuperset(range(line.first, line.end))}
    assert seen.unseen(layout) == len(layout) - len(wanted)
    mine = {LineId("one", len(one), at) for at in range(len(one))} & wanted
    assert seen.unseen_of("one", len(one)) == len(one) - len(mine)


def test_folding_and_another_width_change_nothing_of_what_was_seen() -> None:
    seen = SeenLines()
    narrow = laid_out([part("head", [2, 2]), part("/a", [3, 3]), part("foot", [1])])
    seen.look(narrow, 0, 7)
    assert seen.unseen(narrow) == 2 and seen.unseen_of("/a", 2) == 1
    folded = laid_out([part("head", [1, 1]), part("foot", [1])])
    assert seen.unseen(folded) == 1
    seen.look(folded, 0, 3)
    wide = laid_out([part("head", [1, 1]), part("/a", [1, 1]), part("foot", [1])])
    assert seen.unseen(folded) == 0 and seen.unseen(wide) == 1, "the folded line was never shown"


def test_half_of_a_line_in_one_layout_and_half_in_another_is_not_the_line() -> None:
    seen = SeenLines()
    seen.look(laid_out([part("a", [4])]), 0, 2)
    other = laid_out([part("a", [2])])
    seen.look(other, 1, 2)
    assert seen.unseen(other) == 1
    seen.look(other, 0, 1)
    assert seen.unseen(other) == 0


def test_a_part_with_another_number_of_lines_is_read_again() -> None:
    seen = SeenLines()
    before = laid_out([part("evidence", [1, 1])])
    seen.look(before, 0, 2)
    assert seen.unseen(before) == 0
    assert seen.unseen(laid_out([part("evidence", [1, 1, 1])])) == 3
