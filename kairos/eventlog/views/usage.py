"""The view of recent model calls and turns, for the figures of today."""

from __future__ import annotations

import msgspec

from kairos.domain.events import ModelCalled
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection


class Usage(msgspec.Struct):
    """What was spent and done, for `today` figures: calls as (at us, micro-USD), turns as times."""

    calls: list[tuple[int, int]] = []
    turns: list[int] = []


class UsageView(Projection[Usage]):
    name = "ledger"
    state = Usage
    topics = frozenset({"ModelCalled", "TurnStarted"})
    KEEP = 3 * 86_400_000_000

    def apply(self, state: Usage, recorded: Recorded) -> None:
        if isinstance(recorded.event, ModelCalled):
            state.calls = [c for c in state.calls if c[0] > recorded.at - self.KEEP]
            state.calls.append((recorded.at, recorded.event.spent_microusd))
        else:
            if state.turns and state.turns[0] <= recorded.at - self.KEEP:
                state.turns = [t for t in state.turns if t > recorded.at - self.KEEP]
            state.turns.append(recorded.at)
