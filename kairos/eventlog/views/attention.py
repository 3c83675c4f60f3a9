"""The view of what is muted or paused, and of what is waiting to be reported."""

from __future__ import annotations

from kairos.domain import attention
from kairos.domain.attention import Attention
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection


class AttentionView(Projection[Attention]):
    name = "attention"
    version = 3
    state = Attention
    topics = attention.TOPICS

    def apply(self, state: Attention, recorded: Recorded) -> None:
        attention.evolve(state, recorded.event, recorded.at, recorded.origin)
