"""Turns as the log holds them: their calls, what they cost, and how they ended."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest

from kairos.clock import DAY, now_us
from kairos.desk.desk import Desk
from kairos.desk.reading import repositories
from kairos.desk.turning import turn, turns
from kairos.domain import events as ev
from kairos.errors import NotFound, UsageError
from kairos.eventlog.record import NewEvent

KIND = "review-change@1"


def begun(seeded: Any, name: str, engine: str = "model") -> int:
    started = ev.TurnStarted(turn=name, repo=seeded.id, engine=engine, boundary="commit", detectors=[KIND])  # type: ignore[arg-type]
    return int(seeded.log.append([NewEvent(name, started, seeded.cause)])[0])


def reserved(seeded: Any, name: str, call: int, attempt: int = 1) -> None:
    event = ev.ModelReserved(turn=name, call=call, attempt=attempt, model="m", reserved_microusd=900)
    seeded.log.append([NewEvent("budget", event)])


def called(seeded: Any, name: str, call: int, attempt: int = 1, outcome: str = "ok", **more: Any) -> None:
    event = ev.ModelCalled(
        turn=name, call=call, attempt=attempt, model="m", outcome=outcome, spent_microusd=300, input_tokens=20,
        cached_tokens=5, output_tokens=3, **more,
    )  # fmt: skip
    seeded.log.append([NewEvent("budget", event)])


def ended(seeded: Any, name: str, outcome: str, why: str = "") -> None:
    event = ev.TurnEnded(turn=name, repo=seeded.id, engine="model", outcome=outcome, why=why, micros=1_500_000)
    seeded.log.append([NewEvent(name, event)])


def test_a_turn_is_shown_with_every_attempt_and_what_it_cost(desk: Desk, seeded: Any) -> None:
    position = begun(seeded, "turn-model-a-7")
    reserved(seeded, "turn-model-a-7", 1)
    called(seeded, "turn-model-a-7", 1, outcome="rate_limited", why="scripted 429")
    reserved(seeded, "turn-model-a-7", 1, 2)
    called(seeded, "turn-model-a-7", 1, 2, anomaly="odd")
    reserved(seeded, "turn-model-a-7", 2)
    reserved(seeded, "turn-other-8", 1)
    ended(seeded, "turn-model-a-7", "parked", "the budget")
    for name in ("turn-model-a-7", "7"):
        found = turn(desk, name)
        assert [(c.call, c.attempt, c.outcome, c.usd) for c in found.calls] == [
            (1, 1, "rate_limited", 0.0003), (1, 2, "ok", 0.0003), (2, 1, None, 0.0009)
        ]  # fmt: skip
        assert (found.calls[0].why, found.calls[1].anomaly, found.calls[1].cached_tokens) == ("scripted 429", "odd", 5)
        one = found.turn
        assert (one.position, found.cause, one.outcome, one.why) == (position, seeded.cause, "parked", "the budget")
        assert (one.model_calls, one.usd, one.seconds, one.repo) == (3, 0.0015, 1.5, str(seeded.root))


def test_turns_are_listed_newest_first_and_those_of_detectors_when_asked_for(desk: Desk, seeded: Any) -> None:
    rules = len(turns(desk, None, None, rules=True))
    begun(seeded, "turn-model-a-1")
    called(seeded, "turn-model-a-1", 1)
    begun(seeded, "turn-rules-2", "rules")
    begun(seeded, "turn-model-a-3")
    ended(seeded, "turn-model-a-3", "quiet")
    ended(seeded, "turn-model-a-4", "failed", "Kairos itself failed")
    found = turns(desk, None, None, rules=False)
    assert [(t.turn, t.outcome, t.usd) for t in found] == [
        ("turn-model-a-4", "failed", 0.0), ("turn-model-a-3", "quiet", 0.0), ("turn-model-a-1", None, 0.0003)
    ]  # fmt: skip
    assert len(turns(desk, None, None, rules=True)) == rules + 4


def test_since_and_repository_limit_the_list(desk: Desk, seeded: Any) -> None:
    begun(seeded, "turn-model-a-1")
    other = ev.TurnStarted(turn="turn-model-b-3", repo="repo-other", engine="model", boundary="commit", detectors=[])
    with patch("kairos.eventlog.log.now_us", lambda: now_us() + 2 * DAY):
        begun(seeded, "turn-model-a-2")
        seeded.log.append([NewEvent("turn-model-b-3", other)])
    mine = repositories(desk).by_id[seeded.id]
    with patch("kairos.desk.turning.now_us", lambda: now_us() + 2 * DAY):
        late = turns(desk, "1d", None, rules=False)
    assert [t.turn for t in late] == ["turn-model-b-3", "turn-model-a-2"]
    assert [t.turn for t in turns(desk, None, mine, rules=False)] == ["turn-model-a-2", "turn-model-a-1"]
    with pytest.raises(UsageError):
        turns(desk, "2999-01-01", None, rules=False)


@pytest.mark.parametrize("name", ["", "turn-model-a-9", "9", "budget", "\udcff", "99999999999999999999999"])
def test_what_is_no_turn_is_not_found(desk: Desk, seeded: Any, name: str) -> None:
    begun(seeded, "turn-model-a-1")
    reserved(seeded, "turn-model-a-1", 1)
    with pytest.raises(NotFound):
        turn(desk, name)


def test_an_empty_home_has_no_turns_and_stays_empty(desk: Desk) -> None:
    assert turns(desk, None, None, rules=True) == []
    with pytest.raises(NotFound):
        turn(desk, "1")
    assert not desk.has_log
