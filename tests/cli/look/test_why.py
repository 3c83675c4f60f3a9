"""`why` and `why-not`."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.domain import events as ev


def test_why_walks_from_the_root_to_the_proposal(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    said = kairos("why", raised.id, "--json")
    assert [s["type"] for s in said.data] == [
        "GitMoved", "AttentionDue", "TurnStarted", "ProposalRaised", "ProposalVerified",
    ]  # fmt: skip
    assert said.data[0]["position"] == seeded.cause
    assert "rename pay" in said.data[0]["summary"]


@pytest.mark.parametrize("what", ["5", "77ab12", "0 005"])
def test_why_takes_a_position_or_a_commit(kairos: Any, seeded: Any, what: str) -> None:
    assert kairos("why", what, "--json").data[0]["type"] == "GitMoved"


def test_why_of_something_unknown_is_not_found(kairos: Any, seeded: Any) -> None:
    for what in ("zzzz", "999999", "abcdef0123"):
        assert kairos("why", what).code == 4


def test_why_not_lists_what_was_held_and_by_which_rule(kairos: Any, seeded: Any) -> None:
    held = ev.AttentionHeld(repo=seeded.id, subject="qzvt", why="quiet hours", rule="quiet-hours@1", until=1)
    seeded.append(held, seeded.id)
    rows = kairos("why-not", "--json").data
    assert [(r["subject"], r["rule"], r["until"]) for r in rows] == [
        ("qzvt", "quiet-hours@1", "1970-01-01T00:00:00.000001Z")
    ]
    assert "quiet hours" in kairos("why-not").out
    assert kairos("why-not", "--json", "--since", "2999-01-01").data == []
