"""Numbers, sizes and durations in words, the same for all entry points."""

from __future__ import annotations

from kairos.domain.amounts import count as count
from kairos.domain.amounts import number as number


def age(micros: int) -> str:
    """A duration in microseconds as `40s`, `4m`, `2h` or `3d`."""
    seconds = max(0, micros // 1_000_000)
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def size(value_: int) -> str:
    """Bytes as `812 B`, `4.2 KiB`, `1.1 MiB`."""
    value, unit = float(value_), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"


def in_passing(sentence: str) -> str:
    """A sentence of a hint as it stands in the middle of a line."""
    return f"{sentence[:1].lower()}{sentence[1:]}".removesuffix(".").replace("`", "")
