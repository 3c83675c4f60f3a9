"""What running a check only for some commits would have saved and missed, from the runs that were recorded. Pure.

The selection: a check runs if the commit touches a kind of file (suffix, or name without one) that was touched when the
check became red before, or that was never seen. It learns as it goes, so it is judged as it would have been then.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import NamedTuple

_ENOUGH = 5
"""A kind of file counts as harmless after it was touched so often without a new red case."""


class Simulated(NamedTuple):
    """runs and seconds there were; how many would have been skipped, and the seconds saved; runs that were newly red,
    and how many of those would have been skipped; the kinds that count as harmless at the end."""

    runs: int
    skipped: int
    seconds: float
    saved: float
    red: int
    missed: int
    kinds: list[str]


def kind_of(path: str) -> str:
    """The kind of a file: its suffix, or its name if it has none."""
    name = posixpath.basename(path)
    stem, dot, suffix = name.rpartition(".")
    return f".{suffix}" if dot and stem else name


def simulate(steps: Sequence[tuple[float, Sequence[str], bool]]) -> Simulated:
    """`steps`: of each run after another its seconds, the paths touched since the one before, and whether a case became
    red."""
    harmless: dict[str, int] = {}
    skipped = red = missed = 0
    saved = total = 0.0
    for seconds, paths, newly in steps:
        kinds = {kind_of(path) for path in paths}
        skip = all(harmless.get(kind, 0) >= _ENOUGH for kind in kinds)
        total += seconds
        red += newly
        if skip:
            skipped += 1
            saved += seconds
            missed += newly
        for kind in kinds:
            harmless[kind] = 0 if newly else harmless.get(kind, 0) + 1
    known = sorted(kind for kind, times in harmless.items() if times >= _ENOUGH)
    return Simulated(len(steps), skipped, round(total, 3), round(saved, 3), red, missed, known)
