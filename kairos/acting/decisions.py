"""A person's decision on a proposal, recorded once: of two reviewers at the same moment one wins, the other is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from kairos.acting.performing import Standing, append, standing
from kairos.acting.verifier import verify
from kairos.clock import SECOND, now_us
from kairos.domain import deciding
from kairos.domain import proposal as proposals
from kairos.domain.events import Event
from kairos.domain.proposal import Proposal
from kairos.errors import Conflict, TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.views.repositories import RepositoriesView
from kairos.home import Home
from kairos.settings import Config

_TRIES = 10


class Decision(msgspec.Struct, frozen=True):
    """The proposal after a decision; `position` of the event that records it, or of the last one if it stood."""

    proposal: Proposal
    position: int


def approve(
    log: Log, home: Home, config: Config, prefix: str, digest: str | None = None, *, now: int | None = None
) -> Decision:
    """A person's yes to the digest they read (None: to the one that is pending). A note becomes acknowledged.

    A proposal that nobody verified yet is verified first. Repeating a yes is no error. NotFound (4), Stale (5):
    another digest, expired, decided otherwise; TryAgain (75)."""
    at = standing(log, prefix)
    if at.proposal.state == "raised":
        repo = RepositoriesView().load(log)[0].by_id.get(at.proposal.raised.repo)
        if repo is not None:
            verify(log, home, config, at.proposal, Path(repo.root))
    valid_us = round(config.proposals.approval_minutes * 60 * SECOND)
    return _decide(log, prefix, lambda p, t: deciding.approve(p, digest, now=t, valid_us=valid_us), now)


def reject(
    log: Log, prefix: str, reason: str = "other", text: str = "", *, never: bool = False, now: int | None = None
) -> Decision:
    """A person's no. `reason`: one of `deciding.REASONS`; `never`: not this subject again."""
    return _decide(log, prefix, lambda p, _: deciding.reject(p, reason, text, never=never), now)


def defer(log: Log, prefix: str, until: int | None, *, now: int | None = None) -> Decision:
    """Later: back at `until` (us), with None at the next commit."""
    return _decide(log, prefix, lambda p, t: deciding.defer(p, until, now=t), now)


def _decide(log: Log, prefix: str, rule: Callable[[Proposal, int], list[Event]], now: int | None) -> Decision:
    """Looks, decides and appends with the version it saw; looks again when somebody wrote in between. The rule
    itself tells the loser who was first."""
    proposal_id = standing(log, prefix).proposal.id
    for _ in range(_TRIES):
        at = standing(log, proposal_id)
        moment = now_us() if now is None else now
        try:
            at = _expire(log, at, moment)
            events = rule(at.proposal, moment)
            after = append(log, at, events, origin="user", now=moment)
        except Conflict:
            continue
        return Decision(after.proposal, after.last)
    raise TryAgain(f"{proposal_id} is being changed by others", "Try again in a moment.")


def _expire(log: Log, at: Standing, now: int) -> Standing:
    return append(log, at, proposals.expire(at.proposal, now), now=now)
