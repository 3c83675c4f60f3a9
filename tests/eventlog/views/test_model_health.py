"""The view folds what the log says of the model, with the time at which it was recorded."""

from __future__ import annotations

from kairos.domain.events import ModelCalled
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.model_health import ModelHealthView


def test_refusals_are_counted_with_the_time_of_the_last(log: Log) -> None:
    refused = ModelCalled(turn="t", call=1, attempt=1, model="m", outcome="error", spent_microusd=0, status=401)
    at = log.append([NewEvent("budget", refused), NewEvent("budget", refused)])[-1]
    found = ModelHealthView().load(log)[0]
    assert (found.refused, found.refused_at) == (2, log.at(at).at)
