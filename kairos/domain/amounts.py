"""Numbers and counted things in words, the same everywhere. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def number(value: int) -> str:
    """8812 as `8 812`, as people read positions."""
    return f"{value:,}".replace(",", " ")


def count(value: int, noun: str, many: str = "") -> str:
    """`1 file`, `3 files`, `2 directories`."""
    return f"{number(value)} {noun if value == 1 else many or noun + 's'}"


def listed(items: Sequence[str], most: int = 3) -> str:
    """`a, b and 2 more`."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else list(items))
