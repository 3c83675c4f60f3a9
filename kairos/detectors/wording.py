"""Texts for places and counts, and the keys and fingerprints of findings."""

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


def key_of(detector: str, parts: Iterable[object]) -> str:
    """The key of a finding: the detector and a hash of `parts`."""
    digest = hashlib.sha256()
    for part in parts:
        data = str(part).encode("utf-8", "surrogateescape")
        digest.update(len(data).to_bytes(8, "little") + data)
    return f"{detector}:{digest.hexdigest()[:24]}"


MOST_PARTS = 64
"""A finding about more things than this has no keys of its parts, only its own."""
MOST_MARKS = 400


def keys_of(detector: str, parts: Iterable[Sequence[object]]) -> tuple[str, list[str]]:
    """The key of a finding about one or more things, and the keys of its parts. A finding about one thing has the key
    of that thing."""
    each = sorted({key_of(detector, part) for part in parts})
    key = each[0] if len(each) == 1 else key_of(detector, ["all", *each])
    return key, each if len(each) <= MOST_PARTS else []


def fingerprint_of(places: Iterable[object]) -> list[str]:
    """A short hash of each place of the evidence, sorted; equal places count as often as they occur. Beyond MOST_MARKS
    the rest is one hash."""
    seen: dict[str, int] = {}
    marks: list[str] = []
    for place in places:
        text = str(place)
        seen[text] = seen.get(text, 0) + 1
        data = f"{text}\0{seen[text]}".encode("utf-8", "surrogateescape")
        marks.append(hashlib.sha256(data).hexdigest()[:12])
    marks.sort()
    if len(marks) > MOST_MARKS:
        rest = hashlib.sha256("".join(marks[MOST_MARKS:]).encode("ascii")).hexdigest()[:12]
        marks = [*marks[:MOST_MARKS], rest]
    return marks


def evidence(cause: int, positions: Iterable[int], most: int = 20) -> list[int]:
    """The cause first, then the other positions ascending, each once."""
    rest = sorted({p for p in positions if p > 0 and p != cause})[:most]
    return ([cause] if cause > 0 else []) + rest
