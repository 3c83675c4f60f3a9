"""The evidence for co-change learning and the resulting estimates, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a commit that the learner needs: paths that exist after it, paths it removed, renames (new → old);
    copies are left out. `position` is the event that recorded it."""

    at_s: int
    position: int
    paths: Sequence[str]
    removed: Sequence[str] = ()
    renames: Mapping[str, str] = {}


class File(msgspec.Struct, array_like=True):
    """A file that exists. Sums over its commits: `weight` weighted by age, `ever` unweighted, `order` weighted by
    order; `hot` decays fast."""

    path: str
    weight: float = 0.0
    ever: float = 0.0
    order: float = 0.0
    count: int = 0
    hot: float = 0.0
    hot_at: int = 0
    cites: list[int] = []


class Pair(msgspec.Struct, array_like=True):
    """Two files that changed together, lower identity first. `fwd`: how often the second changes with the first,
    weighted by order, as of the first's change number `fwd_at`; `back`: the reverse. Times in seconds."""

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


class Totals(msgspec.Struct, array_like=True):
    """The sums over all commits of one repository. `next`: the identity of the next new file."""

    epoch: int = -1
    clock: int = 0
    next: int = 1
    total: float = 0.0
    hot: float = 0.0
    hot_at: int = 0


class Node(msgspec.Struct, array_like=True):
    """A file with its pairs by the identity of the other file if that is higher; `lower` are the others."""

    file: File
    pairs: dict[int, Pair] = {}
    lower: dict[int, None] = {}


class Estimate(msgspec.Struct, frozen=True):
    """How likely `path` changes too. `support`: number of commits that show it; 0 for a guess from names and
    recent activity. `cites`: event positions, oldest first."""

    path: str
    confidence: float
    support: int
    cites: list[int]
    since: int = 0
    last: int = 0
