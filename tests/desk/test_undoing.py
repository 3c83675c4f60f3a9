"""Undo and redo: nothing is done before somebody agreed to the plan."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.desk import deciding
from kairos.desk.desk import Desk
from kairos.desk.reading import inbox
from kairos.desk.undoing import take_back
from kairos.errors import NotFound, Stale


def approved(desk: Desk, seeded: Any, after: bytes, seed: str = "a") -> str:
    raised = seeded.raise_(seeded.patch("README.md", after), seed=seed)
    return deciding.approve(desk, inbox(desk).proposals[raised.id], raised.digest).id


def test_the_plan_is_shown_and_a_no_changes_nothing(desk: Desk, seeded: Any) -> None:
    id_ = approved(desk, seeded, b"# Demo\nmore\n")
    plans = []
    before = desk.log.head()
    assert take_back(desk, "undo", None, lambda plan: bool(plans.append(plan))) is None
    assert [(p.id, p.files, p.run, p.repo) for p in plans] == [(id_, ["README.md"], "undo", seeded.root.name)]
    assert (seeded.root / "README.md").read_bytes() == b"# Demo\nmore\n"
    assert desk.log.head() == before


def test_undo_and_redo_answer_with_what_they_did(desk: Desk, seeded: Any) -> None:
    id_ = approved(desk, seeded, b"# Demo\nmore\n")
    undone = take_back(desk, "undo", id_, lambda plan: True)
    assert undone is not None
    assert (undone.state, undone.files, undone.kept) == ("undone", ["README.md"], [])
    assert desk.log.at(undone.positions[-1]).topic == "Undone"
    redone = take_back(desk, "redo", None, lambda plan: True)
    assert redone is not None and redone.state == "redone"
    assert (seeded.root / "README.md").read_bytes() == b"# Demo\nmore\n"


def test_a_conflict_with_later_edits_is_stale_before_anybody_is_asked(desk: Desk, seeded: Any) -> None:
    id_ = approved(desk, seeded, b"# Demo\nmore\n")
    (seeded.root / "README.md").write_bytes(b"# Demo\nelse\n")

    def never(plan: Any) -> bool:
        raise AssertionError("there is no plan to agree to")

    with pytest.raises(Stale):
        take_back(desk, "undo", id_, never)
    assert (seeded.root / "README.md").read_bytes() == b"# Demo\nelse\n"


def test_there_is_nothing_to_take_back_where_nothing_was_done(desk: Desk) -> None:
    with pytest.raises(NotFound):
        take_back(desk, "undo", None, lambda plan: True)
