"""The view of recent model calls and turns, for the figures in `today`."""

from __future__ import annotations

import msgspec

from kairos.domain.budget import SLICE_US
from kairos.domain.events import ModelCalled, ModelReserved
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection


class Usage(msgspec.Struct):
    """Recent spending and turns, for the figures in `today`: calls as (time in us, micro-USD), turns as (start in us of
    the time slice of `SLICE_US` in which they started, number of turns). `open`: what is reserved for attempts that are
    not reconciled, by turn, call and attempt; it counts as spent."""

    calls: list[tuple[int, int]] = []
    open: dict[str, tuple[int, int]] = {}
    turns: list[tuple[int, int]] = []


class UsageView(Projection[Usage]):
    name = "ledger"
    version = 3
    state = Usage
    topics = frozenset({"ModelReserved", "ModelCalled", "TurnStarted"})
    KEEP = 3 * 86_400_000_000

    def apply(self, state: Usage, recorded: Recorded) -> None:
        since = recorded.at - self.KEEP
        match recorded.event:
            case ModelReserved() as e:
                state.open = {k: v for k, v in state.open.items() if v[0] > since}
                state.open[f"{e.turn}/{e.call}/{e.attempt}"] = (recorded.at, e.reserved_microusd)
                return
            case ModelCalled() as e:
                state.open.pop(f"{e.turn}/{e.call}/{e.attempt}", None)
                state.calls = [c for c in state.calls if c[0] > since]
                state.calls.append((recorded.at, e.spent_microusd))
                return
        start = recorded.at // SLICE_US * SLICE_US
        if state.turns and state.turns[-1][0] == start:
            state.turns[-1] = (start, state.turns[-1][1] + 1)
        else:  # a turn may start every second, so turns are counted instead of listed
            state.turns = [*(t for t in state.turns if t[0] + SLICE_US > since), (start, 1)]
