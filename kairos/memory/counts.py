"""The evidence that co-change is learned from, and what it amounts to: plain values, kept as a view row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """What the learner needs of a commit: paths that exist after it, paths it removed, renames (new → old),
    copies left out. `position` is the event that recorded it."""

    at_s: int
    position: int
    paths: Sequence[str]
    removed: Sequence[str] = ()
    renames: Mapping[str, str] = {}


class File(msgspec.Struct, array_like=True):
    """A living file. `weight` sums its commits by age, `ever` all alike, `order` by order; `hot` fades fast."""

    path: str
    weight: float = 0.0
    ever: float = 0.0
    order: float = 0.0
    count: int = 0
    hot: float = 0.0
    hot_at: int = 0
    cites: list[int] = []


class Pair(msgspec.Struct, array_like=True):
    """Two files that changed together, lower identity first. `fwd`: how much the second follows the first by
    order, as of the first's change number `fwd_at`; `back` the reverse. Times in seconds."""

    weight: float = 0.0
    ever: float = 0.0
    count: int = 0
    fwd: float = 0.0
    fwd_at: int = 0
    back: float = 0.0
    back_at: int = 0
    since: int = 0
    last: int = 0
    cites: list[int] = []


class Counts(msgspec.Struct, array_like=True):
    """The evidence of one repository, as kept in a view row."""

    epoch: int = -1
    clock: int = 0
    next: int = 1
    total: float = 0.0
    hot: float = 0.0
    hot_at: int = 0
    files: dict[int, File] = {}
    pairs: dict[int, Pair] = {}


class Estimate(msgspec.Struct, frozen=True):
    """How surely `path` changes too. `support`: commits that show it; 0 for a guess from names and
    from what is busy. `cites`: event positions, oldest first."""

    path: str
    confidence: float
    support: int
    cites: list[int]
    since: int = 0
    last: int = 0
