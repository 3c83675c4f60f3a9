"""Checking: runs the named checks after a commit, when the person pauses, and says what became red and who broke it.

It never runs in the middle of an edit, one run at a time for the home. What is to be done follows from the log: after
an absence only the newest tree is run, and an idle day costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kairos.acting.checking import checks_lock
from kairos.clock import SECOND, now_us
from kairos.daemon.check_rounds import CheckRounds
from kairos.daemon.component import Component
from kairos.daemon.folded import World
from kairos.daemon.turns import Looker
from kairos.domain.events import (
    BaselineRecorded,
    CheckNamed,
    CheckRan,
    CheckRemoved,
    FilesChanged,
    GitMoved,
    RootFound,
)
from kairos.errors import IntegrityError, KairosError, LeaseLost
from kairos.eventlog.leases import HeldLeases, fences_of, is_mine
from kairos.eventlog.log import Log
from kairos.eventlog.record import Fence, Recorded
from kairos.eventlog.views.repositories import Repository
from kairos.home import Home
from kairos.settings import Config

QUIET_S = 3.0
"""A check begins when nothing was edited for so long (s)."""
BETWEEN_S = 0.2
"""The pause (s) between two runs, so that `kairos check run`, which waits for the lock, gets its turn."""
RETRY_S, RETRY_MOST_S = 2.0, 60.0
_PAUSED_S = 60.0


class Checking(Component):
    """Runs the checks of the repositories that this daemon holds."""

    name = "checking"
    wakes = frozenset({"Paused", "Resumed"})
    reads = frozenset(
        {
            "BaselineRecorded", "CheckNamed", "CheckRan", "CheckRemoved", "FilesChanged", "GitMoved", "RootFound",
        }
    )  # fmt: skip

    def __init__(
        self, home: Home, config: Config, log: Log, world: World, held: HeldLeases, report: Callable[[str], None]
    ) -> None:
        super().__init__(log, world, held)
        self._home = home
        self._report = report
        self._rounds = CheckRounds(home, log, world, Looker(home, config, log, world))
        self._due: set[str] = set()
        self._causes: dict[str, int] = {}
        self._last = ""
        self._patience: dict[str, tuple[float, float]] = {}
        self._said: dict[str, str] = {}

    def fences(self) -> tuple[Fence, ...]:
        with self._world.reading() as views:
            repos = list(views.repos.by_id)
        return fences_of(self._held, repos)

    def catch_up(self) -> int:
        here = self._world.catch_up()
        with self._world.reading() as views:
            self._due = set(views.checks.by_repo)  # of one without checks the cards are closed
        return here

    def handle(self, recorded: Recorded) -> None:
        match recorded.event:
            case FilesChanged() | GitMoved(ongoing=True):
                pass  # `step` waits for the pause after it
            case GitMoved(repo=repo) | CheckNamed(repo=repo):
                self._due.add(repo)
                self._causes[repo] = recorded.position
            case CheckRan(repo=repo) | CheckRemoved(repo=repo) | BaselineRecorded(repo=repo) | RootFound(repo=repo):
                self._due.add(repo)
            case _:
                pass

    def step(self) -> float | None:
        """Does one thing in one repository, by turns: a long search in one does not delay the others. Returns when to
        go on."""
        waits: list[float] = []
        for repo in sorted(self._due, key=lambda repo: (repo <= self._last, repo)):
            known = self._repo(repo)
            if known is None:
                self._forget(repo)
                continue
            wait = self._wait(known)
            if wait is None:
                if self._one(known):
                    return BETWEEN_S
                wait = self._wait(known) or 0.0
            if repo in self._due:
                waits.append(wait)
        return min(waits, default=None)

    def _one(self, repo: Repository) -> bool:
        """Does one thing; False if nothing was left to do, or if it must be tried again after a while."""

        def cancelled() -> bool:
            return self.stopped or not self._is_mine(repo.id) or self._is_paused(repo.id)

        self._last = repo.id
        try:
            with self._log.fenced(fences_of(self._held, [repo.id])), checks_lock(self._home):
                more = self._rounds.step(repo, cancelled, cause=self._causes.get(repo.id))
        except (IntegrityError, LeaseLost):
            raise
        except KairosError as error:
            if not self.stopped and error.message != self._said.get(repo.id):
                self._said[repo.id] = error.message
                self._report(f"checks of {repo.root}: {error.message}")
            _, before = self._patience.get(repo.id, (0.0, RETRY_S / 2))
            patience = min(2 * before, RETRY_MOST_S)
            self._patience[repo.id] = time.monotonic() + patience, patience
            return False
        self._patience.pop(repo.id, None)
        if not more:
            self._forget(repo.id)
        return more

    def _forget(self, repo: str) -> None:
        """Nothing is to be done in a repository until it has news."""
        self._due.discard(repo)
        for known in (self._causes, self._patience, self._said):
            known.pop(repo, None)

    def _wait(self, repo: Repository) -> float | None:
        """How long (s) to wait before a check may run, None if it may now."""
        if self._is_paused(repo.id):
            return _PAUSED_S
        until, _ = self._patience.get(repo.id, (0.0, 0.0))
        if until > time.monotonic():
            return until - time.monotonic()
        with self._world.reading() as views:
            quiet = now_us() - views.attention.last_activity.get(repo.id, 0)
        return None if quiet >= QUIET_S * SECOND else max(0.05, QUIET_S - quiet / SECOND)

    def _repo(self, repo: str) -> Repository | None:
        """The repository, if it has checks, or had, and they may run here."""
        with self._world.reading() as views:
            known = views.repos.by_id.get(repo)
            has = repo in views.checks.by_repo
        usable = known is not None and has and known.watched and known.ready and not known.lost
        return known if usable and self._is_mine(repo) else None

    def _is_paused(self, repo: str) -> bool:
        with self._world.reading() as views:
            return views.attention.is_paused(now_us(), repo)

    def _is_mine(self, repo: str) -> bool:
        return is_mine(self._log, self._held, repo)
