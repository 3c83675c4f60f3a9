"""What a long-running command shows when a proposal is delivered."""

from __future__ import annotations

from typing import NamedTuple

from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.reading import inbox, names, repositories


class Delivered(NamedTuple):
    """A proposal at the moment of its delivery; `letters` is its id as people type it, `where` its repository."""

    letters: str
    title: str
    risk: str
    digest: str
    where: str


@of_one_moment
def delivered(desk: Desk, id_: str) -> Delivered:
    """What to show of a proposal that was just delivered."""
    known = inbox(desk)
    raised = known.proposals[id_].raised
    where = names(repositories(desk)).get(raised.repo, "")
    return Delivered(known.letters(id_), raised.title, raised.risk, raised.digest, where)
