"""The detectors at hand: those of this program and a person's own, and which of them look, told or in shadow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kairos.detectors.enabled import ENABLED
from kairos.detectors.looking import ALL
from kairos.detectors.own.detector import Ask, OwnDetector
from kairos.detectors.protocol import Detector
from kairos.domain.events import DetectorState
from kairos.domain.roster import MOST, OwnDeclared, RosterState


@dataclass(frozen=True)
class Roster:
    """Detectors, and the state of each by its name."""

    detectors: tuple[Detector, ...]
    states: dict[str, DetectorState]

    @property
    def names(self) -> list[str]:
        return [d.name for d in self.detectors]

    def watching(self) -> tuple[Detector, ...]:
        """The detectors that look, told or in shadow."""
        return tuple(d for d in self.detectors if self.states[d.name] != "off")

    def fitting(self, boundary: str) -> list[str]:
        """The names of the detectors that look at a boundary, as `TurnStarted` records them."""
        return [d.name for d in self.detectors if self.states[d.name] != "off" and boundary in d.boundaries]

    def named(self, name: str) -> list[Detector]:
        """A list with the detector of this name; empty if there is none now."""
        return [d for d in self.detectors if d.name == name]

    def is_in_shadow(self, name: str) -> bool:
        return self.states.get(name) == "shadow"

    @property
    def own(self) -> list[str]:
        """The names of a person's own detectors."""
        return [d.name for d in self.detectors if isinstance(d, OwnDetector)]


def roster_of(
    said: RosterState, own: Iterable[OwnDeclared] = (), ask: Callable[[OwnDeclared], Ask] | None = None
) -> Roster:
    """The roster by what a person said. `own`: a person's own detectors, asked by `ask`. A name of this program's is
    never another's."""
    built_in = {d.name for d in ALL}
    mine = [] if ask is None else [
        OwnDetector(d.name, d.version, ask(d)) for d in list(own)[:MOST] if d.name not in built_in
    ]  # fmt: skip
    states: dict[str, DetectorState] = {
        d.name: said.state_of(d.name, "on" if d.name in ENABLED else "off") for d in ALL
    }
    states |= {d.name: said.state_of(d.name, "shadow") for d in mine}
    return Roster((*ALL, *mine), states)


BUILT_IN = roster_of(RosterState())
"""The detectors of this program, as they are without a word of a person."""
