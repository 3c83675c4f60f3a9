from __future__ import annotations

from typing import Any

from kairos.domain.events import TurnEnded, TurnStarted
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.open_turns import OpenTurns, OpenTurnsView


def folded(*events: Any) -> dict[str, tuple[str, int]]:
    state, view = OpenTurns(), OpenTurnsView()
    for position, event in enumerate(events, 5):
        view.apply(state, Recorded(position, "s", position, type(event).__name__, 1, 0, None, position, "live", event))
    return state.open


def started(turn: str, engine: Any = "model") -> TurnStarted:
    return TurnStarted(turn=turn, repo="r", engine=engine, boundary="commit", detectors=[])


def ended(turn: str, engine: Any = "model") -> TurnEnded:
    return TurnEnded(turn=turn, repo="r", engine=engine, outcome="quiet")


def test_a_model_turn_is_open_from_its_start_to_its_end() -> None:
    assert folded(started("a"), started("b")) == {"a": ("r", 5), "b": ("r", 6)}
    assert folded(started("a"), started("b"), ended("a")) == {"b": ("r", 6)}


def test_a_rules_turn_is_never_open_and_an_unknown_end_is_nothing() -> None:
    assert folded(started("a", "rules"), ended("b"), ended("c", "rules")) == {}
