"""The view of a person's own detectors, and of what a person said of any."""

from __future__ import annotations

from kairos.domain import roster
from kairos.domain.roster import RosterState
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection


class RosterView(Projection[RosterState]):
    name = "roster"
    state = RosterState
    topics = roster.TOPICS

    def apply(self, state: RosterState, recorded: Recorded) -> None:
        roster.evolve(state, recorded.event, recorded.at)
