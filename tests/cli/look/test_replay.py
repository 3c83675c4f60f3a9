"""`replay`: the log folded anew."""

from __future__ import annotations

from typing import Any


def test_replay_gives_the_same_folds(kairos: Any, seeded: Any) -> None:
    seeded.raise_(seeded.note())
    first = kairos("replay", "--verify", "--json").data
    assert first["identical"] and first["events"] == 7
    assert kairos("compact", "--now").code == 0
    again = kairos("replay", "--verify", "--json").data
    assert {k: again["projections"][k] for k in first["projections"]} == first["projections"]
