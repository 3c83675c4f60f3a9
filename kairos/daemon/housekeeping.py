"""Housekeeping of proposals: drift of their base, expiry, the end of deferrals, the end of a pause."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from kairos.acting.drift import drift
from kairos.daemon.folded import World
from kairos.domain import proposal as proposals
from kairos.domain.events import Event, FilesChanged, Resumed
from kairos.errors import Conflict
from kairos.eventlog.log import Log
from kairos.eventlog.record import HeadAt, NewEvent, Recorded, Write


class Housekeeping:
    """Each append expects the stream version that was read, so an earlier decision by another process wins."""

    def __init__(self, log: Log, world: World, is_mine: Callable[[str], bool]) -> None:
        """`is_mine`: whether this daemon holds a repository."""
        self._log = log
        self._world = world
        self._is_mine = is_mine

    def changed(self, recorded: Recorded, event: FilesChanged) -> None:
        """Compares the open proposals that touch changed paths with the disk."""
        paths = {c.fs for c in event.changes} | {c.was.fs for c in event.changes if c.was is not None}
        self._drift(event.repo, paths, recorded.position)

    def check_drift(self) -> None:
        """Compares every open proposal with the disk. Called once at the start."""
        with self._world.reading() as views:
            watched = views.repos.watched()
        for repo in filter(lambda r: self._is_mine(r.id), watched):
            self._drift(repo.id, None, None)

    def tick(self, now: int) -> None:
        """Ends a pause whose time is over, expires proposals, and returns to pending those whose deferral has ended or
        whose approval was not carried out in time."""
        while not self._resumed(now):
            self._world.catch_up()
        with self._world.reading() as views:
            waiting = [p for p in views.inbox.live() if p.state in proposals.WAITING and self._is_mine(p.raised.repo)]
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

    def _drift(self, repo_id: str, paths: set[str] | None, cause: int | None) -> None:
        with self._world.reading() as views:
            repo = views.repos.by_id.get(repo_id)
            if repo is None or repo.lost:
                return
            moved = drift(views.inbox, repo_id, paths, Path(repo.root))
            versions = {n.stream: views.inbox.proposals[n.event.id].version for n in moved}  # type: ignore[attr-defined]
        for new in moved:
            try:
                self._log.append(
                    [NewEvent(new.stream, new.event, cause, "system")], expected={new.stream: versions[new.stream]}
                )
            except Conflict:
                continue

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
