"""`kairos turn`."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.domain.events import ModelCalled, ToolUsed, TurnEnded, TurnStarted
from kairos.eventlog.record import NewEvent


def life(seeded: Any, name: str, outcome: str = "proposed", why: str = "") -> None:
    started = TurnStarted(turn=name, repo=seeded.id, engine="model", boundary="commit", detectors=["review-change@1"])
    called = ModelCalled(turn=name, call=1, attempt=1, model="small", outcome="ok", spent_microusd=1_500, why="")
    ended = TurnEnded(turn=name, repo=seeded.id, engine="model", outcome=outcome, why=why, proposals=["qzvt"])
    seeded.log.append([NewEvent(name, started, seeded.cause), NewEvent("budget", called), NewEvent(name, ended)])


def test_the_turns_are_listed_and_one_is_shown_with_its_calls(kairos: Any, seeded: Any) -> None:
    life(seeded, "turn-model-a-7", "failed", "odd \x1b[31m")
    text = kairos("turn", "ls").out
    for part in ("turn-model-a-7", "you committed", "failed", "$0.0015"):
        assert part in text
    shown = kairos("turn", "show", "7").out
    for part in (
        "turn-model-a-7",
        "you committed",
        "failed: odd",
        "small",
        "kairos show qzvt",
        f"kairos why {seeded.cause}",
    ):
        assert part in shown
    assert "\x1b[31m" not in shown
    assert kairos("--json", "turn", "ls").data[0]["turn"] == "turn-model-a-7"
    assert kairos("--json", "turn", "show", "7").data["calls"][0]["model"] == "small"


def test_what_a_turn_did_in_its_scratch_tree_is_shown(kairos: Any, seeded: Any) -> None:
    life(seeded, "turn-model-a-7")
    used = ToolUsed(turn="turn-model-a-7", call=1, tool="bash", what="make \x1b[31m", outcome="done", micros=1_200_000)
    seeded.log.append([NewEvent("turn-model-a-7", used)])
    shown = kairos("turn", "show", "7").out
    assert "bash" in shown and "1.2 s" in shown and "\x1b[31m" not in shown
    assert kairos("--json", "turn", "show", "7").data["tools"][0]["what"] == "make \x1b[31m"


def test_the_newest_are_shown_and_the_rest_counted(kairos: Any, seeded: Any) -> None:
    for number in range(3):
        life(seeded, f"turn-model-a-{number}")
    text = kairos("turn", "ls", "-n", "2").out
    assert "turn-model-a-0" not in text and "1 more: kairos turn ls -n 3" in text


def test_without_turns_it_says_so(kairos: Any, home: Any) -> None:
    assert "No turn of a model" in kairos("turn", "ls").out
    assert kairos("turn", "show", "7").code == 4


@pytest.mark.parametrize("since", ["soon", "2999-01-01"])
def test_a_time_that_is_none_is_refused(kairos: Any, seeded: Any, since: str) -> None:
    assert kairos("--json", "turn", "ls", f"--since={since}").code == 2
