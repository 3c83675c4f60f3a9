"""What a long-running command shows when a proposal is delivered."""

from __future__ import annotations

from typing import NamedTuple

from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.reading import inbox, names, repositories
from kairos.desk.status import status


class Delivered(NamedTuple):
    """A proposal at the moment of its delivery; `letters` is its id as people type it, `where` its repository."""

    letters: str
    title: str
    risk: str
    digest: str
    where: str


class Manner(NamedTuple):
    """How a long-running command speaks: what it watches, when it speaks, and what is left for today."""

    watched: list[str]
    boundaries: str
    quiet: str
    told: int
    per_day: int
    pending: int


@of_one_moment
def manner(desk: Desk) -> Manner:
    """What is watched, and when a person is told of it."""
    today = status(desk).today
    quiet = desk.config.attention.quiet_hours
    return Manner(
        watched=[r.root for r in repositories(desk).watched()],
        boundaries="after a commit, a branch switch, or when you come back",
        quiet=f"not from {quiet.partition('-')[0]}:00 to {quiet.partition('-')[2]}:00" if quiet else "at any hour",
        told=today.told,
        per_day=today.per_day,
        pending=len(inbox(desk).pending()),
    )


@of_one_moment
def delivered(desk: Desk, id_: str) -> Delivered:
    """What to show of a proposal that was just delivered."""
    known = inbox(desk)
    raised = known.proposals[id_].raised
    where = names(repositories(desk)).get(raised.repo, "")
    return Delivered(known.letters(id_), raised.title, raised.risk, raised.digest, where)
