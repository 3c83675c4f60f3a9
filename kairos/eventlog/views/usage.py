"""The view of recent model calls and turns, for the figures in `today`."""

from __future__ import annotations

import msgspec

from kairos.domain.budget import SLICE_US
from kairos.domain.events import ModelCalled
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection


class Usage(msgspec.Struct):
    """Recent spending and turns, for the figures in `today`: calls as (time in us, micro-USD), turns as (start in us of
    the time slice of `SLICE_US` in which they started, number of turns)."""

    calls: list[tuple[int, int]] = []
    turns: list[tuple[int, int]] = []


class UsageView(Projection[Usage]):
    name = "ledger"
    version = 2
    state = Usage
    topics = frozenset({"ModelCalled", "TurnStarted"})
    KEEP = 3 * 86_400_000_000

    def apply(self, state: Usage, recorded: Recorded) -> None:
        since = recorded.at - self.KEEP
        if isinstance(recorded.event, ModelCalled):
            state.calls = [c for c in state.calls if c[0] > since]
            state.calls.append((recorded.at, recorded.event.spent_microusd))
            return
        start = recorded.at // SLICE_US * SLICE_US
        if state.turns and state.turns[-1][0] == start:
            state.turns[-1] = (start, state.turns[-1][1] + 1)
        else:  # a turn may start every second, so turns are counted instead of listed
            state.turns = [*(t for t in state.turns if t[0] + SLICE_US > since), (start, 1)]
