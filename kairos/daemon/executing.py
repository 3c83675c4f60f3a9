"""Executing: verifies raised proposals and carries out approved ones, one at a time, from the state of the log.

It decides what to do from the folded inbox, not from single events, so that it continues after a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from kairos.acting.executor import execute
from kairos.acting.recovery import recover
from kairos.acting.verifier import verify
from kairos.clock import now_us
from kairos.daemon.component import Component
from kairos.daemon.folded import World
from kairos.domain import attention
from kairos.domain.proposal import Proposal
from kairos.errors import Conflict, IntegrityError, KairosError, LeaseLost, Stale
from kairos.eventlog.leases import HeldLeases, fences_of, is_mine, repo_lease
from kairos.eventlog.log import Log
from kairos.eventlog.views.inbox import InboxView
from kairos.eventlog.views.repositories import RepositoriesView, Repository
from kairos.home import Home
from kairos.settings import Config

RETRY_S, RETRY_MOST_S = 2.0, 60.0
"""First and longest delay (s) before failed work is retried; the delay doubles each time."""


class Executing(Component):
    """Verifies and executes the proposals of the repositories that this daemon holds."""

    name = "executing"
    wakes = InboxView.topics | RepositoriesView.topics | {"Paused", "Resumed", "AttentionDue"}

    def __init__(
        self, home: Home, config: Config, log: Log, world: World, held: HeldLeases, report: Callable[[str], None]
    ) -> None:
        super().__init__(log, world, held)
        self._home = home
        self._config = config
        self._report = report
        self._patience: float | None = None

    def step(self) -> float | None:
        """Does everything that can be done now, starting with executions that a crash interrupted."""
        with self._world.reading() as views:
            proposals = sorted(views.inbox.live(), key=lambda p: p.raised_at)
            repos = dict(views.repos.by_id)
        done = True
        if any(p.state == "executing" for p in proposals):  # left by a crash or a full disk, or a person's undo now
            with self._log.fenced(fences_of(self._held, repos)):
                done = self._attempt("recovery", lambda: recover(self._log, self._home, is_mine=self._is_mine))
        for proposal in proposals:
            if self.stopped:
                break
            if proposal.raised.repo in repos:
                done &= self._look(proposal, repos[proposal.raised.repo])
        self._patience = None if done else min(2 * (self._patience or RETRY_S / 2), RETRY_MOST_S)
        return self._patience

    def _look(self, proposal: Proposal, repo: Repository) -> bool:
        """Does what one proposal waits for, if this daemon holds its repository; False if it must be retried."""
        with self._log.fenced(fences_of(self._held, [repo.id])):
            approved = proposal.state == "approved" and not self._is_paused(repo.id)
            waits = self._is_moment(proposal) or approved
            if not waits or not self._is_mine(repo.id) or repo.lost or not repo.watched:
                return True
            return self._attempt(proposal.id, partial(self._one, proposal, repo))

    def _is_moment(self, proposal: Proposal) -> bool:
        """Whether a proposal is to be verified now. A check command runs only at a boundary between two things, so that
        it runs at most once for a tree while someone saves; without one, verifying is cheap and happens at once."""
        if proposal.state != "raised":
            return False
        with self._world.reading() as views:
            repo = views.repos.by_id.get(proposal.raised.repo)
            begun = views.attention.boundaries.get(proposal.raised.repo, 0)
            has_check = bool(views.checks.of(proposal.raised.repo))
        has_check = has_check or (repo is not None and repo.root in self._config.check)
        if repo is None or not has_check or proposal.is_note or not proposal.revised_at:
            return True
        return proposal.raised.boundary in attention.SPEAKING or begun >= proposal.revised_at

    def _is_paused(self, repo: str) -> bool:
        with self._world.reading() as views:
            return views.attention.is_paused(now_us(), repo)

    def _attempt(self, what: str, work: Callable[[], object]) -> bool:
        """Runs `work`; returns False if it must be retried. A conflicting decision or a moved base is final."""
        try:
            work()
        except (Conflict, Stale):
            return True
        except (IntegrityError, LeaseLost):
            raise
        except (KairosError, OSError) as error:
            self._report(f"{what}: {error.message if isinstance(error, KairosError) else error}")
            return False
        return True

    def _one(self, proposal: Proposal, repo: Repository) -> None:
        root = Path(repo.root)

        def cancelled() -> bool:
            return self.stopped or not self._is_mine(repo.id)

        if proposal.state == "raised":
            verify(self._log, self._home, self._config, proposal, root, cancelled=cancelled)
        else:
            lease = repo_lease(repo.id)
            execute(
                self._log, self._home, self._config, proposal, root, cancelled=cancelled,
                on_step=lambda _: self._held.confirm(lease),
            )  # fmt: skip

    def _is_mine(self, repo: str) -> bool:
        return is_mine(self._log, self._held, repo)
