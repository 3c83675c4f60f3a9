"""What of a long text is on the screen, and how far it was seen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cli.console.viewport import Viewport, opened, relaid

PARTS = st.lists(st.lists(st.sampled_from(["a", "b"]), max_size=12), min_size=1, max_size=6)
ROWS = st.integers(1, 15)
MOVES = st.lists(st.sampled_from(["down", "up", "next", "back", "end"]), max_size=30)


def _moved(view: Viewport, move: str) -> Viewport:
    return {
        "down": lambda: view.scrolled(1), "up": lambda: view.scrolled(-1), "next": lambda: view.paged(1),
        "back": lambda: view.paged(-1), "end": lambda: view.scrolled(10_000),
    }[move]().looked()  # fmt: skip


@given(PARTS, ROWS, MOVES)
def test_only_what_was_on_the_screen_counts_as_seen(parts: list[list[str]], rows: int, moves: list[str]) -> None:
    view = opened(parts, rows).looked()
    shown = set(range(min(rows, len(view.lines))))
    for move in moves:
        view = _moved(view, move)
        shown |= set(range(view.top, min(view.top + view.rows, len(view.lines))))
        assert 0 <= view.top <= max(0, len(view.lines) - rows)
        assert set(range(view.seen)) <= shown
    assert not view.whole or len(shown) == len(view.lines)


@given(PARTS, ROWS)
def test_paging_to_the_end_sees_everything_and_ends(parts: list[list[str]], rows: int) -> None:
    view = opened(parts, rows).looked()
    for _ in range(len(view.lines) + 1):
        view = view.paged(1).looked()
    assert view.whole and view.below == 0


def test_a_jump_to_the_end_does_not_see_what_lies_between() -> None:
    view = opened([["x"] * 30], 10).looked()
    view = view.scrolled(30).looked()
    assert (view.below, view.whole, view.seen) == (0, False, 10)
    for _ in range(3):
        view = view.paged(-1).looked()
    for _ in range(3):
        view = view.paged(1).looked()
    assert view.whole


@given(PARTS, ROWS, MOVES, st.integers(1, 3), ROWS)
def test_a_text_laid_out_anew_was_seen_no_further_than_before(
    parts: list[list[str]], rows: int, moves: list[str], times: int, other: int
) -> None:
    view = opened(parts, rows).looked()
    for move in moves:
        view = _moved(view, move)
    wider = [[line for line in part for _ in range(times)] for part in parts]
    after = relaid(view, wider, other)
    assert after.whole is (view.whole or not after.lines)
    assert after.seen <= view.seen * times or view.whole
    assert after.rows == other


def test_a_file_that_is_marked_counts_as_seen_and_the_next_one_comes_to_the_top() -> None:
    view = opened([["head"] * 2, ["one"] * 40, ["two"] * 3], 5).looked()
    after = relaid(view, [["head"] * 2, ["one, seen"], ["two"] * 3], 5, done=1).looked()
    assert after.whole
    unread = opened([["head"] * 9, ["one"] * 40, ["two"] * 3], 5).looked()
    assert not relaid(unread, [["head"] * 9, ["one, seen"], ["two"] * 3], 5, done=1).whole


def test_other_parts_are_read_from_the_beginning() -> None:
    view = opened([["a"] * 3], 5).looked()
    assert view.whole
    assert not relaid(view, [["a"] * 3, ["b"] * 9], 5).whole
