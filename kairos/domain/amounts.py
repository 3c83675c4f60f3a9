"""Numbers and counted things in words, the same everywhere. Pure."""

from __future__ import annotations


def number(value: int) -> str:
    """8812 as `8 812`, as people read positions."""
    return f"{value:,}".replace(",", " ")


def count(value: int, noun: str, many: str = "") -> str:
    """`1 file`, `3 files`, `2 directories`."""
    return f"{number(value)} {noun if value == 1 else many or noun + 's'}"
