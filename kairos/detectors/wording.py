"""Texts for places and counts, and the keys of findings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from kairos.domain.inert import shown


def places(found: Sequence[tuple[str, int]], most: int = 20) -> str:
    """`path:line`, one per line, with the number of places left out."""
    lines = [f"  {shown(path)}:{line}" for path, line in found[:most]]
    if len(found) > most:
        lines.append(f"  and {len(found) - most} more")
    return "\n".join(lines)


def listed(items: Sequence[str], most: int = 3) -> str:
    """`a, b and 2 more`."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else list(items))


def counted(number: int, noun: str) -> str:
    """`1 reference`, `2 references`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}".replace(",", " ")


def key_of(detector: str, parts: Iterable[object]) -> str:
    """The key of a finding: the detector and a hash of `parts`."""
    digest = hashlib.sha256()
    for part in parts:
        data = str(part).encode("utf-8", "surrogateescape")
        digest.update(len(data).to_bytes(8, "little") + data)
    return f"{detector}:{digest.hexdigest()[:24]}"


def evidence(cause: int, positions: Iterable[int], most: int = 20) -> list[int]:
    """The cause first, then the other positions ascending, each once."""
    rest = sorted({p for p in positions if p > 0 and p != cause})[:most]
    return ([cause] if cause > 0 else []) + rest
