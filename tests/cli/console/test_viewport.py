"""What of a long text is on the screen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cli.console.viewport import Viewport, opened

PARTS = st.lists(st.lists(st.sampled_from(["a", "b"]), max_size=12), min_size=1, max_size=6)
ROWS = st.integers(1, 15)
MOVES = st.lists(st.sampled_from(["down", "up", "next", "back", "end"]), max_size=30)


def moved(view: Viewport, move: str) -> Viewport:
    return {
        "down": lambda: view.scrolled(1), "up": lambda: view.scrolled(-1), "next": lambda: view.paged(1),
        "back": lambda: view.paged(-1), "end": lambda: view.scrolled(10_000),
    }[move]()  # fmt: skip


@given(PARTS, ROWS, MOVES)
def test_the_screen_is_never_beyond_an_end(parts: list[list[str]], rows: int, moves: list[str]) -> None:
    view = opened(parts, rows)
    for move in moves:
        view = moved(view, move)
        assert 0 <= view.top <= max(0, len(view.lines) - rows)
        assert len(view.shown) + view.top + view.below == len(view.lines)


@given(PARTS, ROWS)
def test_paging_shows_every_row_and_ends(parts: list[list[str]], rows: int) -> None:
    view = opened(parts, rows)
    shown = set(range(view.top, view.bottom))
    for _ in range(len(view.lines) + 1):
        view = view.paged(1)
        shown |= set(range(view.top, view.bottom))
    assert view.below == 0 and shown == set(range(len(view.lines)))


def test_a_row_belongs_to_the_part_that_begins_before_it() -> None:
    view = opened([["head"] * 2, ["one"] * 3, ["two"]], 5)
    assert [view.part(row) for row in range(6)] == [0, 0, 1, 1, 1, 2]
