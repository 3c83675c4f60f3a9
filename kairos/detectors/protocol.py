"""The protocol of detectors, and the record of a detector that failed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from kairos.detectors.scene import Scene
from kairos.domain.finding import Finding


class DetectorFailure(NamedTuple):
    """A detector that could not finish, and the reason in a text that is safe to show."""

    detector: str
    why: str


class Detector(Protocol):
    """A rule that turns evidence into findings. It is stateless and reads only through the scene."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def boundaries(self) -> frozenset[str]: ...
    def look(self, scene: Scene) -> Iterable[Finding]: ...
