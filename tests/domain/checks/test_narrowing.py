"""Delta debugging over the pieces of a commit ends at a smallest set that is red, within its bound."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.checks.narrowing import MOST_TRIALS, GuiltyPieces, Pieces, next_trial


def narrowed(n: int, red: Callable[[Pieces], bool], most: int = MOST_TRIALS) -> tuple[GuiltyPieces, int]:
    """(the answer, after how many trials)."""
    tried: dict[Pieces, bool] = {}
    while not isinstance(step := next_trial(n, tried, most), GuiltyPieces):
        assert step not in tried and step < frozenset(range(n))
        tried[step] = red(step)
    return step, len(tried)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 100, 256])
def test_one_guilty_piece_is_found_wherever_it_is(n: int) -> None:
    for guilty in {0, n // 3, n - 1}:
        found, trials = narrowed(n, lambda pieces, guilty=guilty: guilty in pieces)
        assert found == GuiltyPieces((guilty,), True)
        assert trials <= MOST_TRIALS


@given(st.integers(1, 30), st.data())
def test_pieces_that_are_red_only_together_are_found_together(n: int, data: st.DataObject) -> None:
    guilty = data.draw(st.frozensets(st.integers(0, n - 1), min_size=1, max_size=3))
    found, _ = narrowed(n, guilty.issubset, most=1_000)
    assert found == GuiltyPieces(tuple(sorted(guilty)), True)


@given(st.integers(1, 40), st.integers(0, 20), st.data())
def test_whatever_a_set_says_it_ends_within_its_bound_at_one_that_was_red(
    n: int, most: int, data: st.DataObject
) -> None:
    seen: list[Pieces] = [frozenset(range(n))]

    def red(pieces: Pieces) -> bool:
        said = data.draw(st.booleans())
        seen.extend([pieces] if said else [])
        return said

    found, trials = narrowed(n, red, most)
    assert trials <= most
    assert frozenset(found.pieces) in seen


def test_a_set_that_cannot_be_tried_is_passed_over() -> None:
    """Pieces 2 and 3 compile only together."""

    def red(pieces: Pieces) -> bool:
        return 3 in pieces and 2 in pieces

    assert narrowed(8, red)[0] == GuiltyPieces((2, 3), True)
