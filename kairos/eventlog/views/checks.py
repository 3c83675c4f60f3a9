"""The view of the checks that people named, and of what their runs reported."""

from __future__ import annotations

from kairos.domain.checks.state import TOPICS, Checks, evolve
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection


class ChecksView(Projection[Checks]):
    name = "checks"
    version = 3
    state = Checks
    topics = TOPICS

    def apply(self, state: Checks, recorded: Recorded) -> None:
        evolve(state, recorded.event, recorded.position)
