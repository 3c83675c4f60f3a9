"""What a long-running command shows when a proposal is delivered."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from kairos.clock import local_zone, now_us
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.reading import attention, inbox, names, repositories, waiting
from kairos.desk.records.repositories import TodayOut
from kairos.desk.status import status
from kairos.domain.attention import told_today
from kairos.domain.deciding import rule_of
from kairos.domain.events import ProposalRaised, ProposalRevised
from kairos.domain.proposal import UNDECIDED
from kairos.errors import NotFound


class Delivered(NamedTuple):
    """A proposal at the moment of its delivery; `letters` is its id as people type it, `where` its repository.
    `budget`: what is left for today, if this delivery used the last of it; else empty. `rule`: the rule that
    approved it without a question (else empty), `done`: whether it was carried out then."""

    id: str
    letters: str
    title: str
    risk: str
    digest: str
    where: str
    budget: str = ""
    rule: str = ""
    done: bool = False


class Manner(NamedTuple):
    """How a long-running command speaks: what it watches, when it speaks, and what is left for today."""

    watched: list[str]
    boundaries: str
    quiet: str
    today: TodayOut
    pending: int


@of_one_moment
def manner(desk: Desk) -> Manner:
    """What is watched, and when a person is told of it."""
    quiet = desk.config.attention.quiet_hours
    return Manner(
        watched=[r.root for r in repositories(desk).watched()],
        boundaries="after a commit, a branch switch, or when you come back",
        quiet=f"not from {quiet.partition('-')[0]}:00 to {quiet.partition('-')[2]}:00" if quiet else "at any hour",
        today=msgspec.structs.replace(status(desk).today, untold=0),  # `pending` counts them
        pending=len(waiting(desk)),
    )


@of_one_moment
def delivered(desk: Desk, id_: str) -> Delivered | None:
    """What to show of a proposal that was just delivered; None if it was forgotten since."""
    known = inbox(desk)
    if id_ not in known.proposals:
        return None
    raised = known.proposals[id_].raised
    where = names(repositories(desk)).get(raised.repo, "")
    return Delivered(
        id_, known.letters(id_), raised.title, raised.risk, raised.digest, where, _budget(desk, raised, where)
    )


@of_one_moment
def by_rule(desk: Desk, id_: str, *, done: bool) -> Delivered | None:
    """What to show of a proposal whose run ended, if a rule approved it: nobody was asked, so it is told. None else."""
    known = inbox(desk)
    proposal = known.proposals.get(id_)
    if proposal is None or not (rule := rule_of(proposal)):
        return None
    raised, where = proposal.raised, names(repositories(desk)).get(proposal.raised.repo, "")
    return Delivered(id_, known.letters(id_), raised.title, raised.risk, raised.digest, where, rule=rule, done=done)


@of_one_moment
def moved_on(desk: Desk, id_: str, position: int) -> Delivered | None:
    """What to show of an urgent proposal that was told and reads otherwise since its revision at this position: a
    staged credential was committed. None for any other; one that is worse is delivered again."""
    known = inbox(desk)
    proposal = known.proposals.get(id_)
    if (
        proposal is None
        or not proposal.delivered
        or proposal.raised.risk != "urgent"
        or proposal.state not in UNDECIDED
    ):
        return None
    titles = [_title(desk, p) for p in known.positions[id_] if p <= position]
    titles = [title for title in titles if title]
    if titles[-2:-1] == titles[-1:]:
        return None
    where = names(repositories(desk)).get(proposal.raised.repo, "")
    return Delivered(id_, known.letters(id_), titles[-1], proposal.raised.risk, proposal.raised.digest, where)


def _title(desk: Desk, position: int) -> str:
    try:
        event = desk.log.at(position).event
    except NotFound:  # forgotten, or folded away: what it said is not known any more
        return ""
    return event.title if isinstance(event, ProposalRaised | ProposalRevised) else ""


def _budget(desk: Desk, raised: ProposalRaised, where: str) -> str:
    """`api: 4 of 4 told today, 3 more in the inbox` if this delivery reached a daily cap; else empty."""
    told = told_today(attention(desk), now_us(), local_zone())
    if raised.id not in told:
        return ""
    limits = desk.config.attention
    here = sum(1 for repo in told.values() if repo in (raised.repo, ""))
    if here >= limits.per_day:
        words = f"{where}: {here} of {limits.per_day} told today"
    elif len(told) >= limits.per_day_total:
        words = f"{len(told)} of {limits.per_day_total} told today in all repositories"
    else:
        return ""
    more = sum(not p.delivered for p in waiting(desk) if p.raised.repo == raised.repo)
    return f"{words}, {more} more of it in the inbox" if more else words
