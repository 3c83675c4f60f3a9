"""The bench: verifies what was raised and executes what was approved, one at a time, from the state of the log.

It asks the folded inbox what is to be done, not which event came: after a crash the same question gives the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from kairos.acting.executor import execute
from kairos.acting.recovery import recover
from kairos.acting.verifier import verify
from kairos.clock import now_us
from kairos.daemon.world import World
from kairos.domain.proposal import Proposal
from kairos.errors import Conflict, IntegrityError, KairosError, LeaseLost, Stale
from kairos.eventlog.follow import Follower
from kairos.eventlog.leases import Held, fence, is_mine, repo_lease
from kairos.eventlog.log import Log
from kairos.home import Home
from kairos.settings import Config

RETRY_S = 2.0


class Bench:
    """One thread's work. `run` returns after `stop`."""

    def __init__(self, home: Home, config: Config, log: Log, report: Callable[[str], None], held: Held) -> None:
        self._report = report
        self._held = held
        self._home = home
        self._config = config
        self._log = log
        self._world = World(log)
        self._follower = Follower(log, 0)

    def wake(self) -> None:
        """Has it look whether what this daemon holds has changed."""
        self._follower.wake()

    def stop(self) -> None:
        self._follower.stop()

    def run(self) -> None:
        """Works until stopped; what a crash left comes first."""
        self._world.load()
        self._follower.position = self._world.position
        while not self._follower.stopped:
            patience = 30.0 if self._work() else RETRY_S
            new = self._follower.new()
            for recorded in new:
                self._world.fold(recorded)
            if not new:
                self._follower.wait(patience)

    def _work(self) -> bool:
        """Does everything that can be done now; False if something must be tried again."""
        proposals = sorted(self._world.inbox.live(), key=lambda p: p.raised_at)
        done = True
        fence(self._log, self._held, self._world.repos.by_id)
        if any(p.state == "executing" for p in proposals):  # left by a crash or a full disk, or a person's undo now
            done = self._attempt("recovery", lambda: recover(self._log, self._home, is_mine=self._is_mine))
        for proposal in proposals:
            if self._follower.stopped:
                break
            paused = self._world.attention.is_paused(now_us())
            fence(self._log, self._held, [proposal.raised.repo])
            if not self._is_mine(proposal.raised.repo):
                continue
            if proposal.state == "raised" or (proposal.state == "approved" and not paused):
                done &= self._attempt(proposal.id, partial(self._one, proposal))
        return done

    def _attempt(self, what: str, work: Callable[[], object]) -> bool:
        """False if it must be tried again. That somebody else decided first, or the base moved, is an end."""
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

    def _one(self, proposal: Proposal) -> None:
        repo = self._world.repos.by_id[proposal.raised.repo]
        if repo.lost or not repo.watched:
            return
        root = Path(repo.root)

        def cancelled() -> bool:
            return self._follower.stopped or not self._is_mine(repo.id)

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
