"""What rules did without a question is told."""

from __future__ import annotations

from typing import Any

from kairos.clock import DAY, now_us
from kairos.desk.deliveries import by_rule
from kairos.desk.desk import Desk
from kairos.desk.reading import letters
from kairos.desk.status import status, unheard
from kairos.domain.events import ExecutionFinished, ExecutionStarted, ProposalApproved, Undone


def approved_by(seeded: Any, by: str, outcome: str) -> str:
    """A proposal that was approved by a person or a rule, and run."""
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"), seed=by + outcome)
    started = ExecutionStarted(
        id=raised.id, execution="e1", run="apply", digest=raised.digest, repo=seeded.id, expect=[], before=[], store="s"
    )
    for event in (
        ProposalApproved(id=raised.id, digest=raised.digest, by=by, expires_at=now_us() + DAY),
        started,
        ExecutionFinished(id=raised.id, execution="e1", run="apply", outcome=outcome),
    ):
        seeded.append(event, f"proposal-{raised.id}")
    return str(raised.id)


def test_what_a_rule_did_without_a_question_is_told_by_watch_status_and_inbox(desk: Desk, seeded: Any) -> None:
    mine = approved_by(seeded, "user", "done")
    theirs = approved_by(seeded, "rule:md", "done")
    assert by_rule(desk, mine, done=True) is None
    shown = by_rule(desk, theirs, done=True)
    assert shown is not None and (shown.rule, shown.done) == ("md", True)
    said = status(desk)
    assert [(one.id, one.rule) for one in said.by_rule] == [(theirs, "md")]
    assert f"1 change made by your rules in the last day: kairos undo {letters(desk, theirs)}" in unheard(said)


def test_the_status_names_no_change_of_a_rule_that_was_taken_back_or_failed(desk: Desk, seeded: Any) -> None:
    done = approved_by(seeded, "rule:md", "done")
    failed = approved_by(seeded, "rule:other", "failed")
    seeded.append(Undone(id=done, execution="e1"), f"proposal-{done}")
    assert status(desk).by_rule == []
    shown = by_rule(desk, failed, done=False)
    assert shown is not None and not shown.done
