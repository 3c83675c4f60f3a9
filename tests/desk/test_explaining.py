"""What `why` explains, and what it does not know."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.desk.desk import Desk
from kairos.desk.explaining import why
from kairos.errors import NotFound


def test_a_proposal_is_explained_from_its_root(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    steps = why(desk, raised.id)
    assert [s.type for s in steps][:2] == ["GitMoved", "AttentionDue"]
    assert [s.position for s in steps] == sorted(s.position for s in steps)
    assert why(desk, raised.id[:6]) == steps


@pytest.mark.parametrize("what", ["0", "999999", "zzzz"])
def test_what_is_no_position_id_or_commit_is_not_found(desk: Desk, seeded: Any, what: str) -> None:
    with pytest.raises(NotFound):
        why(desk, what)
