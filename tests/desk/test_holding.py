"""What is silent now: each matter once, as it is at this moment."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.desk import controlling
from kairos.desk.desk import Desk
from kairos.desk.holding import in_force
from kairos.desk.reading import repositories
from kairos.domain import events as ev
from kairos.home import Home

HOUR = 3_600_000_000


@pytest.fixture(autouse=True)
def at_any_hour(home: Home) -> None:
    home.config_file.write_text('[attention]\nquiet_hours = ""\n')


def rules(desk: Desk, **only: Any) -> list[str]:
    return [held.rule for held in in_force(desk, **only)]


def hold(seeded: Any, rule: str) -> None:
    event = ev.AttentionHeld(
        repo=seeded.id, subject="secret:1", rule=rule, why="A key in x: why", detector="secret", boundary="burst"
    )  # fmt: skip
    seeded.append(event, seeded.id)


def test_an_empty_log_holds_nothing(desk: Desk) -> None:
    assert in_force(desk) == []


def test_a_pause_and_a_mute_name_how_they_end(desk: Desk, seeded: Any) -> None:
    one = repositories(desk).by_id[seeded.id]
    controlling.pause(desk, "1h", one)
    controlling.mute(desk, "secret", None)
    hold(seeded, "mute@1")
    paused, muted, finding = in_force(desk, one)
    assert (paused.rule, paused.repo, paused.remedy) == ("pause@1", one.id, f"kairos resume --repo {one.root} ends it")
    assert paused.until is not None and paused.position > 0
    assert (muted.subject, muted.repo) == ("mute", "") and "1 finding held back" in muted.why
    assert muted.remedy.startswith("kairos unmute secret ends it")
    assert (finding.subject, finding.now) == ("secret:1", True)
    controlling.resume(desk)
    controlling.mute(desk, "secret", None, muted=False)
    (left,) = in_force(desk)
    assert left.subject == "secret:1" and "looked at again when the daemon runs" in left.remedy


@pytest.mark.parametrize(
    ("events", "rule"),
    [
        ([], "boundary@1"),
        ([ev.ProposalDelivered(id="{}", boundary="commit")], None),
        ([ev.ProposalParked(id="{}", why="on another branch")], "parked@1"),
        ([ev.ProposalDeferred(id="{}", on_evidence=True)], "deferred@1"),
        ([ev.ProposalRejected(id="{}", reason="wrong")], None),
        ([ev.DetectorMuted(detector="stale-reference")], "mute@1"),
        ([ev.Paused()], "pause@1"),
    ],
)
def test_what_a_proposal_waits_for_now(desk: Desk, seeded: Any, events: list[Any], rule: str | None) -> None:
    raised = seeded.raise_(seeded.note())
    for event in events:
        mine = hasattr(event, "id")
        made = type(event)(
            **{**{f: getattr(event, f) for f in event.__struct_fields__}, **({"id": raised.id} if mine else {})}
        )
        seeded.append(made, f"proposal-{raised.id}" if mine else "control")
    assert [h.rule for h in in_force(desk) if h.subject == raised.id] == ([] if rule is None else [rule])


def test_a_hold_that_a_turn_looked_at_again_is_over(desk: Desk, seeded: Any) -> None:
    hold(seeded, "mute@1")
    (held,) = in_force(desk)
    started = ev.TurnStarted(
        turn="t", repo=seeded.id, engine="rules", boundary="again", detectors=["secret"], again=[held.position]
    )  # fmt: skip
    seeded.append(started, "t")
    assert in_force(desk) == []
