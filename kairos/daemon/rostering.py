"""The roster of a home: its detectors by what log and installed packages say; own ones run confined."""

from __future__ import annotations

from functools import cache

from kairos.acting.own_runs import OwnRuns, hosted
from kairos.detectors.own.detector import Ask, OwnQuestion
from kairos.detectors.own.hosted import installed
from kairos.detectors.roster import Roster, roster_of
from kairos.detectors.scene import Scene
from kairos.domain.roster import NAME, OwnDeclared, RosterState
from kairos.home import Home


class Rostering:
    """Makes the roster anew for each look, as a person may have said something; what own detectors answered is kept."""

    def __init__(self, home: Home) -> None:
        self._runs = OwnRuns(home.scratch)

    def __call__(self, said: RosterState) -> Roster:
        return roster_of(said, declared(said).values(), self._ask)

    def _ask(self, own: OwnDeclared) -> Ask:
        def ask(scene: Scene, question: OwnQuestion) -> bytes:
            return self._runs.ask(scene.git, own, question.commit, question.paths, question.at)

        return ask


def declared(said: RosterState) -> dict[str, OwnDeclared]:
    """A person's own detectors by name: commands, and those that installed packages bring."""
    packages = {name: hosted(name) for name in _installed()}
    return {**packages, **said.own}


@cache
def _installed() -> tuple[str, ...]:
    return tuple(name for name in installed() if NAME.match(name))
