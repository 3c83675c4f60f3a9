"""The detectors at hand: those of this program and a person's own, and which of them look, told or in shadow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from kairos.detectors.enabled import ENABLED
from kairos.detectors.looking import ALL
from kairos.detectors.own.detector import Ask, OwnDetector
from kairos.detectors.protocol import Detector
from kairos.domain.events import DetectorState
from kairos.domain.inert import shown
from kairos.domain.roster import MOST, OwnDeclared, RosterState
from kairos.errors import UsageError


@dataclass(frozen=True)
class Roster:
    """Detectors, and the state of each by its name. `unknown`: a name in `detectors.also` that is none."""

    detectors: tuple[Detector, ...]
    states: dict[str, DetectorState]
    unknown: str = ""

    @property
    def names(self) -> list[str]:
        return [d.name for d in self.detectors]

    def watching(self) -> tuple[Detector, ...]:
        """The detectors that look, told or in shadow. UsageError for a name in the settings that is none."""
        if self.unknown:
            raise UsageError(
                f"detectors.also names `{shown(self.unknown)}`, which is no detector",
                f"There are: {', '.join(self.names)}.",
            )
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
    said: RosterState, also: Collection[str] = (), own: Iterable[OwnDeclared] = (),
    ask: Callable[[OwnDeclared], Ask] | None = None,
) -> Roster:  # fmt: skip
    """The roster by what a person said. `also`: detectors of this program that the settings switch on; `own`: a
    person's own, asked by `ask`. A name of this program's is never another's."""
    built_in = {d.name for d in ALL}
    mine = [] if ask is None else [
        OwnDetector(d.name, d.version, ask(d)) for d in list(own)[:MOST] if d.name not in built_in
    ]  # fmt: skip
    states: dict[str, DetectorState] = {
        d.name: said.state_of(d.name, "on" if d.name in ENABLED or d.name in also else "off") for d in ALL
    }
    states |= {d.name: said.state_of(d.name, "shadow") for d in mine}
    unknown = next(iter(sorted(set(also) - built_in - {d.name for d in mine})), "")
    return Roster((*ALL, *mine), states, unknown)


BUILT_IN = roster_of(RosterState())
"""The detectors of this program, as they are without a word of a person."""
