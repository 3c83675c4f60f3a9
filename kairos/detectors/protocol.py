"""What a detector is, and what is said of one that could not finish."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from kairos.detectors.scene import Scene
from kairos.domain.finding import Finding


class DetectorFailure(NamedTuple):
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
