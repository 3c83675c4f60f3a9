"""Turns of what watches for itself, beside the detectors: facts that were found out, and their findings."""

from __future__ import annotations

import time
from collections.abc import Sequence

from kairos.daemon.folded import World
from kairos.daemon.turns import Looker, told
from kairos.domain.events import AttentionDue, ProposalRaised, TurnEnded, TurnStarted
from kairos.domain.finding import Finding
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Write
from kairos.eventlog.views.repositories import Repository


def record_turn(
    log: Log, world: World, looker: Looker, repo: Repository, *, detector: str, boundary: str,
    facts: Sequence[NewEvent], findings: Sequence[Finding], cause: int | None, writes: Sequence[Write] = (),
) -> None:  # fmt: skip
    """Records facts and raises their findings, unless the detector is muted, as one turn and one append.
    `cause`: the position of what brought this about; facts and findings are caused by the start of the turn."""
    begun = time.monotonic()
    turn = f"turn-{detector}-{repo.id[5:]}-{log.head()}"
    with world.reading() as views:
        muted = views.attention.is_muted(detector, repo.id)
    raised = [] if muted else looker.raised(findings, repo, turn, boundary)
    due = AttentionDue(repo=repo.id, boundary=boundary, rule=f"{boundary}@1")
    started = TurnStarted(turn=turn, repo=repo.id, engine="rules", boundary=boundary, detectors=[detector])
    ids = [event.id for event in raised if isinstance(event, ProposalRaised)]
    ended = TurnEnded(
        turn=turn, repo=repo.id, engine="rules", outcome="proposed" if ids else "quiet", proposals=ids,
        why=f"{detector} is muted" if muted else "", micros=round((time.monotonic() - begun) * 1e6),
    )  # fmt: skip
    new = [NewEvent(repo.id, due, cause, "system"), NewEvent(turn, started, -1, "system"), *facts]
    new += [told(event, -1 - len(facts) - i) for i, event in enumerate(raised)]
    new.append(NewEvent(turn, ended, -1 - len(facts) - len(raised), "system"))
    log.append(new, expected={turn: 0, **looker.versions(raised)}, writes=writes)
    world.catch_up()
