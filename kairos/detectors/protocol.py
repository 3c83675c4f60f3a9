"""What a detector is, and what the daemon lends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from kairos.detectors.scene import Scene
    from kairos.domain.finding import Finding

COMMIT, SWITCH, BURST, IDLE_RETURN = "commit", "switch", "burst", "idle_return"
BASELINE, MANUAL, LATER = "baseline", "manual", "later"
EVERY = frozenset({COMMIT, SWITCH, BURST, IDLE_RETURN, BASELINE, MANUAL, LATER})
WHOLE = frozenset({BASELINE, MANUAL})
"""The boundaries at which a detector looks at the whole tree, not only at what just changed."""


class Companion(NamedTuple):
    """A path that history says changes together with the asked ones: the share of commits (0 to 1), how many of
    them, and the log positions that say so."""

    path: str
    confidence: float
    support: float
    cites: Sequence[int]


Companions = Callable[[Sequence[str]], Sequence[Companion]]


class Problem(NamedTuple):
    """A detector that could not finish, and why, in words that are safe to show."""

    detector: str
    why: str


class Detector(Protocol):
    """A rule that turns evidence into findings. Stateless; it only reads, and only through the scene."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def boundaries(self) -> frozenset[str]: ...
    def look(self, scene: Scene) -> Iterable[Finding]: ...
