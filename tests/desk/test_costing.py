"""What models cost is told by day, repository, kind of turn and model; and every sum is the same."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest

from kairos.clock import DAY, now_us
from kairos.desk.costing import cost, today
from kairos.desk.desk import Desk
from kairos.desk.reading import repositories
from kairos.domain.events import ModelCalled, ModelReserved, TurnStarted
from kairos.errors import UsageError
from kairos.eventlog.record import NewEvent


def called(seeded: Any, turn: str, model: str, micros: int, *, settled: bool = True) -> None:
    started = TurnStarted(turn=turn, repo=seeded.id, engine="model", boundary="commit", detectors=["review-change@1"])
    new = [NewEvent(turn, started), NewEvent("budget", ModelReserved(
        turn=turn, call=1, attempt=1, model=model, reserved_microusd=900_000))]  # fmt: skip
    if settled:
        new.append(NewEvent("budget", ModelCalled(
            turn=turn, call=1, attempt=1, model=model, outcome="ok", spent_microusd=micros, input_tokens=10,
            output_tokens=5)))  # fmt: skip
    seeded.log.append(new)


def test_every_grouping_has_the_same_sum(desk: Desk, seeded: Any) -> None:
    with patch("kairos.eventlog.log.now_us", lambda: now_us() - 2 * DAY):
        called(seeded, "turn-a", "small", 100_000)
    called(seeded, "turn-b", "small", 200_000)
    called(seeded, "turn-c", "large", 0, settled=False)
    found = cost(desk, None, None)
    assert (found.total.model_calls, found.total.usd, found.total.reserved) == (3, 1.2, 1)
    for group in (found.by_day, found.by_repo, found.by_kind, found.by_model):
        assert round(sum(one.usd for one in group), 6) == 1.2
    assert [one.name for one in found.by_model] == ["large", "small"]
    assert len(found.by_day) == 2 and found.by_kind[0].name == "review-change@1"
    assert found.by_repo[0].path == str(seeded.root) and found.by_repo[0].repo == seeded.id


def test_since_and_repository_limit_it(desk: Desk, seeded: Any) -> None:
    with patch("kairos.eventlog.log.now_us", lambda: now_us() - 5 * DAY):
        called(seeded, "turn-a", "small", 100_000)
    called(seeded, "turn-b", "small", 200_000)
    assert cost(desk, "1d", None).total.usd == 0.2
    mine = repositories(desk).by_id[seeded.id]
    assert cost(desk, None, mine).total.model_calls == 2
    from datetime import UTC

    assert today(desk, mine, UTC)[1] == 200_000


def test_an_empty_log_costs_nothing_and_a_future_is_refused(desk: Desk) -> None:
    assert cost(desk, None, None).total.model_calls == 0
    with pytest.raises(UsageError):
        cost(desk, "2999-01-01", None)
