"""The view of model turns that have not ended."""

from __future__ import annotations

import msgspec

from kairos.domain.events import TurnEnded, TurnStarted
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection


class OpenTurns(msgspec.Struct):
    """Model turns that have not ended: turn → (repository, position of its start)."""

    open: dict[str, tuple[str, int]] = {}


class OpenTurnsView(Projection[OpenTurns]):
    name = "turns"
    state = OpenTurns
    topics = frozenset({"TurnStarted", "TurnEnded"})

    def apply(self, state: OpenTurns, recorded: Recorded) -> None:
        match recorded.event:
            case TurnStarted(engine="model") as e:
                state.open[e.turn] = (e.repo, recorded.position)
            case TurnEnded() as e:
                state.open.pop(e.turn, None)
            case _:
                pass
