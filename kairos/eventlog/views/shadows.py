"""The view of the findings in shadow whose outcome is awaited."""

from __future__ import annotations

from kairos.domain import shadows
from kairos.domain.shadows import Shadows
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection


class ShadowsView(Projection[Shadows]):
    name = "shadows"
    state = Shadows
    topics = shadows.TOPICS

    def apply(self, state: Shadows, recorded: Recorded) -> None:
        shadows.evolve(state, recorded.event, recorded.position)
