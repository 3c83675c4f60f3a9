"""Housekeeping of proposals by time: expiry, the end of deferrals, the end of a pause."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kairos.daemon.folded import World
from kairos.domain import proposal as proposals
from kairos.domain.events import Event, Resumed
from kairos.errors import Conflict
from kairos.eventlog.log import Log
from kairos.eventlog.record import HeadAt, NewEvent, Write


class Housekeeping:
    """Each append expects the stream version that was read, so an earlier decision by another process wins."""

    def __init__(self, log: Log, world: World, is_mine: Callable[[str], bool]) -> None:
        """`is_mine`: whether this daemon holds a repository."""
        self._log = log
        self._world = world
        self._is_mine = is_mine

    def tick(self, now: int) -> None:
        """Ends a pause whose time is over, expires proposals, and returns to pending those whose deferral has ended or
        whose approval was not carried out in time."""
        while not self._resumed(now):
            self._world.catch_up()
        with self._world.reading() as views:
            waiting = [p for p in views.inbox.live() if p.state in proposals.LASTING and self._is_mine(p.raised.repo)]
        for proposal in waiting:
            self._try(proposal, proposals.expire(proposal, now) or proposals.give_back(proposal, now))

    def _resumed(self, now: int) -> bool:
        """Ends a pause whose time is over; False if another process appended meanwhile, which may have ended it."""
        with self._world.reading() as views:
            here, over = views.position, views.attention.over(now)
        if over:
            alone: list[Write] = [HeadAt(here)] if self._log.shared else []
            try:
                ended = [NewEvent("control", Resumed(repo=repo), None, "system") for repo in over]
                self._log.append(ended, writes=alone)
            except Conflict:
                return False
        return True

    def next_commit(self, repo: str, boundary: str) -> None:
        """Returns to pending the proposals that are deferred until the next commit."""
        if boundary == "commit":
            with self._world.reading() as views:
                live = views.inbox.live()
            for proposal in live:
                if proposal.state == "deferred" and proposal.raised.repo == repo and proposal.deferred_until is None:
                    self._try(proposal, proposals.give_back(proposal, None))

    def _try(self, proposal: proposals.Proposal, events: Sequence[Event]) -> None:
        if not events:
            return
        with self._world.reading() as views:
            cause = views.inbox.positions[proposal.id][-1]
        try:
            self._log.append(
                [NewEvent(proposal.stream, e, cause, "system") for e in events],
                expected={proposal.stream: proposal.version},
            )
        except Conflict:
            return
