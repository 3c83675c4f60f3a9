"""The view of how the model's calls and turns went lately."""

from __future__ import annotations

from kairos.domain import model_health
from kairos.domain.model_health import ModelHealth
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection


class ModelHealthView(Projection[ModelHealth]):
    name = "model-health"
    state = ModelHealth
    topics = model_health.TOPICS

    def apply(self, state: ModelHealth, recorded: Recorded) -> None:
        model_health.evolve(state, recorded.event, recorded.at)
