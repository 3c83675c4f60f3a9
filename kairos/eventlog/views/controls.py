"""The view of what a person muted and paused, and of the decisions behind it that can be taken back."""

from __future__ import annotations

from kairos.domain import controls
from kairos.domain.controls import Controls
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection


class ControlsView(Projection[Controls]):
    name = "controls"
    state = Controls
    topics = controls.TOPICS

    def apply(self, state: Controls, recorded: Recorded) -> None:
        controls.evolve(state, recorded.event, recorded.position, recorded.origin, recorded.caused_by)
