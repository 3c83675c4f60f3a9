"""Computes what in a daemon's views becomes due by time alone, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kairos.daemon.folded import Views
from kairos.domain import proposal as proposals
from kairos.domain.attention import held_until
from kairos.domain.proposal import Proposal

KINDS = ("approval", "deferral", "delivery", "expiry", "pause")


def agenda(views: Views, since: int, is_mine: Callable[[str], bool]) -> dict[str, int | None]:
    """The next instant (us) of each kind after `since`, None where there is none: when an approval, a deferral, a
    proposal or a pause expires, or a proposal held by quiet hours or the daily cap may be delivered. Instants up to
    `since` are left out: they were handled then, and what is still there does not change with time alone."""
    live = [p for p in views.inbox.live() if is_mine(p.raised.repo)]
    found: dict[str, list[int | None]] = {
        "approval": [p.approved.expires_at for p in live if p.state == "approved" and p.approved is not None],
        "deferral": [p.deferred_until for p in live if p.state == "deferred"],
        "delivery": [held_until(p.id, views.attention) for p in live if is_untold(p)],
        "expiry": [p.raised.expires_at for p in live if p.state in proposals.OPEN],
        "pause": [views.attention.paused_until, *(until or None for until in views.attention.paused_repos.values())],
    }
    return {kind: _first(found[kind], since) for kind in KINDS}


def is_untold(proposal: Proposal) -> bool:
    """Whether a proposal is pending and was not delivered yet."""
    return proposal.state == "pending" and not proposal.delivered


def _first(instants: Iterable[int | None], since: int) -> int | None:
    return min((i for i in instants if i is not None and i > since), default=None)
