"""`kairos cost`."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.domain.events import ModelCalled, TurnStarted
from kairos.eventlog.record import NewEvent


def test_the_cost_is_shown_by_day_repository_turn_and_model(kairos: Any, seeded: Any) -> None:
    started = TurnStarted(
        turn="turn-9", repo=seeded.id, engine="model", boundary="commit", detectors=["review-change@1"]
    )
    spent = ModelCalled(turn="turn-9", call=1, attempt=1, model="small", outcome="ok", spent_microusd=1_500_000)
    seeded.log.append([NewEvent("turn-9", started), NewEvent("budget", spent)])
    text = kairos("cost").out
    for part in ("by day", "by repository", seeded.root.name, "review-change@1", "small", "$1.5000"):
        assert part in text
    assert kairos("cost", "--json").data["total"]["usd"] == 1.5


def test_nothing_spent_is_said(kairos: Any, home: Any) -> None:
    assert "$0.00" in kairos("cost").out


@pytest.mark.parametrize("since", ["soon", "9999999d", "2999-01-01", "-1d"])
def test_a_time_that_is_none_is_refused(kairos: Any, seeded: Any, since: str) -> None:
    assert kairos("--json", "cost", f"--since={since}").code == 2
