"""Numbers and counted things in words."""

from __future__ import annotations

from kairos.domain.amounts import count, number


def test_positions_have_thin_groups_and_nouns_their_number() -> None:
    assert number(8812) == "8 812"
    assert [count(n, "directory", "directories") for n in (0, 1, 2)] == [
        "0 directories", "1 directory", "2 directories",
    ]  # fmt: skip
    assert [count(n, "place") for n in (1, 4_000)] == ["1 place", "4 000 places"]
