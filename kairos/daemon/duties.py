"""What this daemon does on a shared log: the repositories that are here, and the nightly jobs it is configured for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence

from kairos.errors import KairosError, LeaseLost, OutcomeUnknown, TryAgain
from kairos.eventlog.leases import Everything, HeldLeases, Keeper, daemon_lease, holder, job_lease, repo_lease
from kairos.eventlog.log import Log
from kairos.eventlog.record import Fence
from kairos.eventlog.views.repositories import Repository
from kairos.home import machine
from kairos.sensing.root import why_lost

RETRY_S = 1.0


class Duties:
    """The leases of a daemon, renewed in a thread of their own. On the log of one home all is held without asking."""

    def __init__(self, log: Log, seconds: float, jobs: Collection[str], on_change: Callable[[], None]) -> None:
        leases = log.leases()
        self._keeper = None if leases is None else Keeper(leases, holder(log.owner), seconds, on_change)
        self._always = {daemon_lease(log.owner), *map(job_lease, jobs)}
        self.held: HeldLeases = self._keeper or Everything()
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    def choose(self, watched: Sequence[Repository]) -> list[Repository]:
        """Those of the watched repositories that this daemon holds now, after taking what it can."""
        if self._keeper is not None:
            self._keeper.want(self._always | {repo_lease(r.id) for r in watched if is_here(r) or self._is_held(r)})
        return [r for r in watched if self._is_held(r)]

    def fences(self, repo: str) -> tuple[Fence, ...]:
        """What appends of a repository rest on that this daemon holds."""
        return self.held.fences(repo_lease(repo)) or ()

    def _is_held(self, repository: Repository) -> bool:
        """What is held stays so while its directory is away: its sensor tells of that, and of its return."""
        return self.held.fences(repo_lease(repository.id)) is not None

    def start(self) -> None:
        if self._keeper is not None:
            self._thread.start()

    def stop(self) -> None:
        """Gives everything up: another home goes on at once. To be called when nothing is done any more."""
        if self._keeper is not None:
            self._keeper.stop()
            if self._thread.ident is not None:
                self._thread.join()
            self._keeper.close()

    def _run(self) -> None:
        assert self._keeper is not None
        self._keeper.run()


def is_here(repository: Repository) -> bool:
    """Whether the directory that was trusted is on this machine: only then its lease is worth anything."""
    return repository.host in ("", machine()) and why_lost(repository) is None


class Enduring:
    """Runs a worker that begins again from the log: the disk is full, the log busy; of a shared one, a lease was lost,
    the server is away, or does not say what became of an append. Whatever was half done is found as after a crash."""

    def __init__(
        self, log: Log, held: HeldLeases, report: Callable[[str], None], stop: threading.Event | None = None
    ) -> None:
        """`stop`: when it is set, nothing is begun again."""
        self._shared = log.shared
        self._held = held
        self._report = report
        self._stop = stop or threading.Event()

    def stop(self) -> None:
        """What ends from now on is not begun again."""
        self._stop.set()

    def run(self, work: Callable[[], None]) -> None:
        said = ""
        while True:
            try:
                return work()
            except LeaseLost as lost:
                self._held.lose(lost)
            except TryAgain as error:
                said = self._say(said, error)
            except OutcomeUnknown as error:
                if not self._shared:
                    raise
                said = self._say(said, error)
            if self._stop.wait(RETRY_S):
                return None

    def _say(self, said: str, error: KairosError) -> str:
        if error.message != said:
            self._report(f"{error.message}; trying again")
        return error.message
