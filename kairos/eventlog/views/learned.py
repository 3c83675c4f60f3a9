"""The view of what was learned of each detector, by what people did about its findings."""

from __future__ import annotations

from kairos.domain.learning import learned
from kairos.domain.learning.learned import Learned
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection


class LearnedView(Projection[Learned]):
    name = "learned"
    state = Learned
    topics = learned.TOPICS

    def apply(self, state: Learned, recorded: Recorded) -> None:
        learned.evolve(state, recorded.event, recorded.position, recorded.at)
