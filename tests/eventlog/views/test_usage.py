"""Turns are counted by the quarter of an hour: a busy day takes no more room than a quiet one."""

from __future__ import annotations

from kairos.clock import DAY, SECOND
from kairos.domain.events import ModelCalled, ModelReserved, TurnStarted
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.usage import Usage, UsageView

NOON = 1_780_315_200 * SECOND
TURN = TurnStarted(turn="t", repo="r", engine="rules", boundary="burst", detectors=[])


def at(time: int, event: TurnStarted | ModelCalled | ModelReserved = TURN) -> Recorded:
    return Recorded(1, "s", 1, type(event).__name__, 1, time, None, 1, "system", event)


def test_a_turn_every_second_takes_the_room_of_a_quarter_of_an_hour() -> None:
    view, usage = UsageView(), Usage()
    for second in range(1_800):
        view.apply(usage, at(NOON + second * SECOND))
    assert usage.turns == [(NOON, 900), (NOON + 900 * SECOND, 900)]


def test_turns_and_calls_older_than_three_days_are_forgotten() -> None:
    view, usage = UsageView(), Usage()
    call = ModelCalled(turn="t", call=1, attempt=1, model="m", outcome="done", spent_microusd=7)
    for day in range(9):
        view.apply(usage, at(NOON + day * DAY))
        view.apply(usage, at(NOON + day * DAY, call))
    assert [time for time, _ in usage.turns] == [NOON + day * DAY for day in (5, 6, 7, 8)]
    assert [time for time, _ in usage.calls] == [NOON + day * DAY for day in (6, 7, 8)]


def test_a_reservation_is_open_until_its_attempt_is_reconciled_or_three_days_old() -> None:
    view, usage = UsageView(), Usage()
    for call in (1, 2):
        view.apply(usage, at(NOON, ModelReserved(turn="t", call=call, model="m", reserved_microusd=9)))
    view.apply(usage, at(NOON, ModelCalled(turn="t", call=1, attempt=1, model="m", outcome="ok", spent_microusd=7)))
    assert (usage.calls, usage.open) == ([(NOON, 7)], {"t/2/1": (NOON, 9)})
    view.apply(usage, at(NOON + 3 * DAY, ModelReserved(turn="u", call=1, model="m", reserved_microusd=5)))
    assert usage.open == {"u/1/1": (NOON + 3 * DAY, 5)}
