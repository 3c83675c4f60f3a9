"""Numbers, sizes and durations in words."""

from __future__ import annotations

import pytest

from kairos.desk.units import age, size


@pytest.mark.parametrize(
    ("micros", "shown"), [(0, "0s"), (59_000_000, "59s"), (240_000_000, "4m"), (7_200_000_000, "2h"), (-5, "0s")]
)
def test_ages_are_short(micros: int, shown: str) -> None:
    assert age(micros) == shown


@pytest.mark.parametrize(("bytes_", "shown"), [(812, "812 B"), (4301, "4.2 KiB"), (1_153_434, "1.1 MiB")])
def test_sizes_are_in_binary_units(bytes_: int, shown: str) -> None:
    assert size(bytes_) == shown
