"""Lessons: what one finding taught about its detector, by what people did about it. Pure.

```
                             yes   no   of the moment
carried out                   1    –    good
carried out after an edit     ¾    ¼    good
read (a note)                 1    –    good
done by hand                  1    –    –       by a person, whether they were told or not
rejected                      –    1    good    the moment was right for a no
rejected: not now             –    –    bad
deferred                      –    –    bad     as long as nothing else follows
expired after it was told     –    ½    bad
undone                        –    1    good
left (in shadow)              –    1    –       hindsight: nobody did it within the horizon
```
What was taken back teaches nothing; a finding teaches one lesson, the latest.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

Lesson = Literal["", "carried out", "edited", "read", "by hand", "rejected", "not now", "later", "expired", "undone",
                 "left"]  # fmt: skip
WEIGHTS: Mapping[Lesson, tuple[float, float]] = {
    "": (0.0, 0.0), "carried out": (1.0, 0.0), "edited": (0.75, 0.25), "read": (1.0, 0.0), "by hand": (1.0, 0.0),
    "rejected": (0.0, 1.0), "not now": (0.0, 0.0), "later": (0.0, 0.0), "expired": (0.0, 0.5), "undone": (0.0, 1.0),
    "left": (0.0, 1.0),
}  # fmt: skip
"""Lesson → (yes, no) of the detector."""
GOOD = frozenset({"carried out", "edited", "read", "rejected", "undone"})
"""Lessons of which the moment was one at which a person decides."""
BAD = frozenset({"not now", "later", "expired"})
DEPTH = 2
"""A place is at most so many directories deep."""


class YesNo(msgspec.Struct, frozen=True):
    """How many yes and no, in weights."""

    yes: float = 0.0
    no: float = 0.0

    @property
    def n(self) -> float:
        return self.yes + self.no

    def plus(self, yes: float, no: float) -> YesNo:
        """With so much more (or less) of both; never below 0."""
        return YesNo(max(0.0, self.yes + yes), max(0.0, self.no + no))


def place_of(paths: Collection[str]) -> str:
    """The directory that holds all of these paths, at most DEPTH deep; empty for the whole repository."""
    if not paths:
        return ""
    common = [p.split("/")[:-1] for p in paths]
    shared = []
    for level in zip(*common, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return posixpath.join(*shared[:DEPTH]) if shared else ""
