"""Whether the configured model can be called, and how its last turns went."""

from __future__ import annotations

from kairos.clock import now_us, rfc3339
from kairos.desk.desk import Desk
from kairos.desk.records.system import ModelOut
from kairos.desk.when import at_hand
from kairos.domain.model_health import ailment
from kairos.eventlog.views.model_health import ModelHealthView

_REMEDIES = {
    "key_refused": "put a good key into {key}, then kairos stop and kairos start",
    "waiting": "kairos turn ls shows how its turns went",
    "held": "kairos doctor says what is missing",
    "failed": "kairos turn ls shows how its turns went",
    "parked": "kairos cost shows what was spent; kairos config set model.per_day_usd N",
}
"""What a person can do, by state."""


def model_state(desk: Desk) -> ModelOut | None:
    """The state of the configured model, None without one."""
    model = desk.config.model
    if not model.name:
        return None
    found = ailment(desk.view(ModelHealthView()), now_us()) if desk.has_log else None
    if found is None:
        return ModelOut(name=model.name, state="ready")
    return ModelOut(
        name=model.name, state=found.state, why=found.why,
        until=rfc3339(found.until) if found.until is not None else None,
        remedy=_REMEDIES[found.state].format(key=model.key_env or "model.key_env"),
    )  # fmt: skip


def in_one_sentence(model: ModelOut) -> str:
    """What is wrong with the model, until when, and what to do."""
    until = f", until {at_hand(model.until)}" if model.until else ""
    return f"{model.why}{until} ({model.remedy})"
