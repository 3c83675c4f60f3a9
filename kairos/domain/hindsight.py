"""Hindsight: what people did about a finding in the commits that followed, and how sure a share of them is. Pure.

```
raised ──► each descendant commit that touches what it names is looked at
            ├─ at least half of its places are gone   done
            ├─ what it rests on was taken back        moot     counts for nothing
            ├─ the horizon passed                     left     counts against the detector
            └─ history ends first                     unknown  counts for nothing
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Literal

import msgspec

from kairos.domain.action import Action, NoteAction, PatchAction
from kairos.domain.basis import Basis

Label = Literal["done", "left", "moot", "unknown"]
HALF = 0.5
"""From this share of its places a finding counts as done."""
HORIZON = 30
"""After so many commits that descend from its own a finding is decided, unless its detector asks for another number."""
LEAST, LEAST_LOW = 0.8, 0.65
"""The precision, and the lower end of its interval, from which a detector is enabled."""
_PLACE = re.compile(r"^  (.+):\d+$", re.MULTILINE)
_Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: intervals hold 95 %."""


class Again(msgspec.Struct, frozen=True):
    """Another look at a finding: the places that are left (None: it is gone), or `moot` if its basis is no more."""

    key: str
    places: list[str] | None = None
    moot: bool = False


class Awaiting(msgspec.Struct):
    """A finding whose outcome is awaited. `line`: its commit and the descendants of that seen so far; `seen`: how many
    descendants; `horizon`: after so many it is decided; `places`: the fingerprint when it was raised."""

    commit: str
    horizon: int
    places: list[str]
    line: set[str] = set()
    seen: int = 0
    gone: float = 0.0
    label: Label = "unknown"
    by: str = ""

    def follow(self, oid: str, parents: Iterable[str]) -> bool:
        """Whether a commit descends from the finding's and its outcome is still open; then it counts."""
        if self.label != "unknown" or not any(p == self.commit or p in self.line for p in parents):
            return False
        self.line.add(oid)
        self.seen += 1
        return True

    def looked(self, oid: str, places: Sequence[str] | None) -> None:
        """Takes what another look at a commit found: the places that are left, None if the finding is gone."""
        self.gone = max(self.gone, share_gone(self.places, places))
        if self.gone >= HALF:
            self.label, self.by = "done", oid

    def taken_back(self, oid: str) -> None:
        """What the finding rests on is no longer so: the rename was undone, or the file moved on."""
        self.label, self.by = "moot", oid

    def pass_by(self) -> None:
        """After a commit that counted: decides if the horizon has passed."""
        if self.label == "unknown" and self.seen >= self.horizon:
            self.label = "left"


def share_gone(before: Sequence[str], now: Sequence[str] | None) -> float:
    """The share (0 to 1) of the places of a finding that are not among those left; 1 if none is left."""
    if now is None:
        return 1.0
    left = list(now)
    gone = 0
    for place in before:
        if place in left:
            left.remove(place)
        else:
            gone += 1
    return gone / len(before) if before else 0.0


def named_paths(action: Action, basis: Basis | None) -> frozenset[str]:
    """The paths that a finding asks to change."""
    if isinstance(action, PatchAction):
        return frozenset(e.fs for e in action.edits)
    listed = _PLACE.findall(action.text) if isinstance(action, NoteAction) else []
    return frozenset(listed) or frozenset(n.fs for n in basis.present) if basis else frozenset(listed)


class Interval(msgspec.Struct, frozen=True):
    """A share and the ends of its 95 % interval, each from 0 to 1."""

    share: float
    low: float
    high: float


def wilson(right: int, number: int) -> Interval | None:
    """The share of `right` among `number` with its Wilson score interval (Wilson, JASA 1927); None of nothing."""
    if number <= 0:
        return None
    share = right / number
    spread = _Z * sqrt(share * (1 - share) / number + _Z * _Z / (4 * number * number))
    middle, scale = share + _Z * _Z / (2 * number), 1 + _Z * _Z / number
    low, high = (middle - spread) / scale, (middle + spread) / scale
    return Interval(share, max(0.0, min(low, share)), min(1.0, max(high, share)))


def earns_its_place(found: Interval | None) -> bool:
    """Whether a detector with this precision is enabled by default."""
    return found is not None and found.share >= LEAST and found.low >= LEAST_LOW


def chance(touched: int, commits: int, horizon: int) -> float:
    """The chance that a path changes within `horizon` commits anyway, if it changed in `touched` of `commits`."""
    rate = min(1.0, (touched + 1) / (max(touched, commits) + 2))
    return float(1 - (1 - rate) ** horizon)
