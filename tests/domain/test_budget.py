from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain import budget
from kairos.domain.budget import Caps, Price, Spending, Tokens
from kairos.domain.events import Event, ModelCalled, ModelReserved

CAPS = Caps(per_day=1_000, per_turn=400)
DAY = 86_400_000_000


def _reserved(turn: str, call: int, amount: int, attempt: int = 1) -> ModelReserved:
    return ModelReserved(turn=turn, call=call, model="m", reserved_microusd=amount, attempt=attempt)


def _called(turn: str, call: int, amount: int, attempt: int = 1) -> ModelCalled:
    return ModelCalled(turn=turn, call=call, model="m", attempt=attempt, outcome="ok", spent_microusd=amount)


def _fold(*events: tuple[Event, int]) -> Spending:
    spending = Spending()
    for event, at in events:
        budget.evolve(spending, event, at)
    return spending


def test_a_reservation_counts_until_it_is_reconciled() -> None:
    open_ = _fold((_reserved("t", 1, 300), DAY))
    assert budget.since(open_, 0).microusd == 300
    closed = _fold((_reserved("t", 1, 300), DAY), (_called("t", 1, 120), DAY + 5))
    assert (budget.since(closed, 0).microusd, closed.turns["t"].microusd, closed.open) == (120, 120, {})


def test_a_call_is_spent_on_the_day_it_was_reserved() -> None:
    spending = _fold((_reserved("t", 1, 300), DAY - 1), (_called("t", 1, 200), DAY + 1))
    assert budget.since(spending, DAY).microusd == 0
    assert budget.since(spending, 0).microusd == 200


def test_what_would_pass_a_cap_is_refused_and_what_meets_it_is_not() -> None:
    spending = _fold((_reserved("t", 1, 300), DAY), (_reserved("u", 1, 400), DAY))
    assert budget.refusal(spending, "t", 100, CAPS, DAY) == ""
    assert "turn" in budget.refusal(spending, "t", 101, CAPS, DAY)
    assert budget.refusal(spending, "v", 300, CAPS, DAY) == ""
    assert "today" in budget.refusal(spending, "v", 301, CAPS, DAY)
    assert budget.refusal(spending, "v", 301, CAPS, 2 * DAY) == "", "a new day"


def test_a_reconciliation_without_a_reservation_changes_nothing() -> None:
    assert _fold((_called("t", 1, 500), DAY)) == Spending()


def test_a_clock_that_jumps_far_away_and_back_loses_nothing_of_today() -> None:
    spending = _fold((_reserved("t", 1, 300), 20_000 * DAY))
    for quarter in range(300):
        budget.evolve(spending, _reserved("far", quarter, 1), 30_000 * DAY + quarter * budget.SLICE_US)
    for quarter in range(1, 90):
        budget.evolve(spending, _reserved("t", 1 + quarter, 1), 20_000 * DAY + quarter * budget.SLICE_US)
    today = sum(s.microusd for place, s in spending.slices.items() if place * budget.SLICE_US < 20_001 * DAY)
    assert today == spending.turns["t"].microusd == 300 + 89


def test_the_ledger_stays_small_and_keeps_what_is_near() -> None:
    spending = Spending()
    for quarter in range(2_000):
        budget.evolve(spending, _reserved(f"t{quarter}", 1, 1), quarter * budget.SLICE_US)
    assert len(spending.slices) == 400 and len(spending.turns) == 64
    assert budget.since(spending, 1_990 * budget.SLICE_US).microusd >= 10


def test_costs_are_rounded_up() -> None:
    assert budget.cost(Price(input=0.15, output=0.6), Tokens(1, 0)) == 1
    assert budget.cost(Price(input=3.0, output=15.0), Tokens(1_000, 100)) == 4_500
    assert budget.cost(Price(input=0.0, output=0.0), Tokens(10**6, 10**6)) == 0


def test_stored_tokens_cost_what_stored_tokens_cost() -> None:
    assert budget.cost(Price(input=3.0, output=15.0, cached=0.3), Tokens(1_000, 0, 900)) == 300 + 270
    assert budget.cost(Price(input=3.0, output=15.0), Tokens(1_000, 0, 900)) == 3_000, (
        "an unknown price is the full one"
    )
    assert budget.cost(Price(input=3.0, output=15.0, cached=9.0), Tokens(1_000, 0, 900)) == 3_000, "it never costs more"


@pytest.mark.parametrize(
    ("reported", "paid"),
    [
        (Tokens(900, 90), Tokens(900, 90)),
        (Tokens(900, 90, 900), Tokens(900, 90, 900)),
        (None, Tokens(1_000, 100)),
        (Tokens(-900, 90), Tokens(1_000, 90)),
        (Tokens(900, -1), Tokens(900, 100)),
        (Tokens(10**9, 10**9), Tokens(1_000, 100)),
        (Tokens(900, 90, 901), Tokens(900, 90, 0)),
        (Tokens(900, 90, -5), Tokens(900, 90, 0)),
    ],
)
def test_a_report_neither_lowers_the_sum_nor_raises_it_above_the_reserve(reported: Tokens | None, paid: Tokens) -> None:
    found, anomaly = budget.believed(reported, Tokens(1_000, 100))
    assert found == paid
    assert bool(anomaly) == (reported is not None and reported != paid)


def test_what_an_earlier_version_believed_counts_within_its_reserve() -> None:
    spending = Spending()
    for number, spent in enumerate((-5_000, 10**9)):
        budget.evolve(spending, _reserved("t", number, 300), 0)
        budget.evolve(spending, _called("t", number, spent), 0)
    assert budget.since(spending, 0).microusd == spending.turns["t"].microusd == 0 + 300


Step = tuple[str, int, int, bool, int]
STEPS = st.lists(
    st.tuples(st.sampled_from("tu"), st.integers(0, 3), st.integers(0, 500), st.booleans(), st.integers(0, 3 * DAY)),
    max_size=60,
)


@given(STEPS)
def test_sent_calls_never_take_a_day_above_its_cap_when_costs_stay_within_the_reserve(steps: list[Step]) -> None:
    spending, closed = Spending(), 0
    for number, (turn, _, amount, reconciled, at) in enumerate(steps):
        if budget.refusal(spending, turn, amount, CAPS, 0):
            continue
        budget.evolve(spending, _reserved(turn, number, amount), at)
        if reconciled:
            before = copy.deepcopy(spending)
            budget.evolve(spending, _called(turn, number, amount // 2), at)
            closed += 1
            assert budget.since(spending, 0).microusd == budget.since(before, 0).microusd - (amount - amount // 2)
        assert budget.since(spending, 0).microusd <= CAPS.per_day
        assert all(t.microusd <= CAPS.per_turn for t in spending.turns.values())
    assert budget.since(spending, 0).calls == closed + len(spending.open)
