from __future__ import annotations

from kairos.clock import DAY
from kairos.domain.events import Event, ModelCalled, TurnStarted
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.usage import Usage, UsageView


def folded(*told: tuple[int, Event]) -> Usage:
    state, view = Usage(), UsageView()
    for position, (at, event) in enumerate(told, 1):
        view.apply(state, Recorded(position, "s", position, type(event).__name__, 1, at, None, 1, "live", event))
    return state


def call(spent: int) -> ModelCalled:
    return ModelCalled(turn="t", call=1, model="m", attempt=1, outcome="ok", spent_microusd=spent)


TURN = TurnStarted(turn="t", repo="r", engine="rules", boundary="commit", detectors=[])


def test_calls_and_turns_are_kept_with_their_times_and_costs() -> None:
    state = folded((5, call(7)), (6, TURN), (8, call(9)))
    assert (state.calls, state.turns) == ([(5, 7), (8, 9)], [6])


def test_what_is_older_than_three_days_goes_when_something_new_comes() -> None:
    state = folded((1, call(7)), (1, TURN), (2, TURN), (3 * DAY + 1, call(9)), (3 * DAY + 1, TURN))
    assert (state.calls, state.turns) == ([(3 * DAY + 1, 9)], [2, 3 * DAY + 1])
