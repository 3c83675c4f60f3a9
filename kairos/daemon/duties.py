"""The leases of this daemon on a shared log: its local repositories and the nightly jobs it is configured for."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Collection, Sequence

from kairos.errors import KairosError, LeaseLost, OutcomeUnknown, TryAgain
from kairos.eventlog.leases import Everything, HeldLeases, Keeper, daemon_lease, holder, job_lease, repo_lease
from kairos.eventlog.log import Log
from kairos.eventlog.record import Fence
from kairos.eventlog.views.repositories import Repository
from kairos.home import machine
from kairos.sensing.root import why_lost

RETRY_S = 1.0
ALONE_RETRY_S = 60.0


class Duties:
    """The leases of a daemon, renewed in a separate thread. If the log is not shared, no leases are needed and all is
    held."""

    def __init__(self, log: Log, seconds: float, jobs: Collection[str], on_change: Callable[[], None]) -> None:
        leases = log.leases()
        self._keeper = None if leases is None else Keeper(leases, holder(log.owner), seconds, on_change)
        self._always = {daemon_lease(log.owner), *map(job_lease, jobs)}
        self.held: HeldLeases = self._keeper or Everything()
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    def choose(self, watched: Sequence[Repository]) -> list[Repository]:
        """Requests the leases of the local repositories; returns the watched ones that this daemon holds now."""
        if self._keeper is not None:
            self._keeper.want(self._always | {repo_lease(r.id) for r in watched if is_here(r) or self._is_held(r)})
        return [r for r in watched if self._is_held(r)]

    def fences(self, repo: str) -> tuple[Fence, ...]:
        """The fences that appends of a repository require, if this daemon holds it; else none."""
        return self.held.fences(repo_lease(repo)) or ()

    def _is_held(self, repository: Repository) -> bool:
        """Whether this daemon holds the lease. It keeps a lease while the directory is missing, because the sensor must
        report the loss and the return."""
        return self.held.fences(repo_lease(repository.id)) is not None

    def start(self) -> None:
        if self._keeper is not None:
            self._thread.start()

    def stop(self) -> None:
        """Releases all leases, so that another home can continue at once. Call it after all work has ended."""
        if self._keeper is not None:
            self._keeper.stop()
            if self._thread.ident is not None:
                self._thread.join()
            self._keeper.close()

    def _run(self) -> None:
        assert self._keeper is not None
        self._keeper.run()


def is_here(repository: Repository) -> bool:
    """Whether the trusted directory is on this machine; a lease on it is useful only then."""
    return repository.host in ("", machine()) and why_lost(repository) is None


class Enduring:
    """Runs a worker and restarts it from the log after a temporary failure: a full disk or a busy log; on a shared log
    also a lost lease, an unreachable server or an append with unknown result. Recovery works as after a crash."""

    def __init__(
        self, log: Log, held: HeldLeases, report: Callable[[str], None], stop: threading.Event | None = None
    ) -> None:
        """`stop`: when it is set, nothing is restarted."""
        self._shared = log.shared
        self._held = held
        self._report = report
        self._stop = stop or threading.Event()

    def stop(self) -> None:
        """Prevents further restarts."""
        self._stop.set()

    def run(self, work: Callable[[], None], *, alone: bool = False) -> None:
        """Runs the work until it returns. `alone`: whatever else it raises is reported, and it begins again, too; else
        that is raised."""
        said = ""
        while True:
            pause = RETRY_S
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
            except Exception:
                if not alone:
                    raise
                pause = ALONE_RETRY_S
                name = threading.current_thread().name
                self._report(
                    f"{name} failed; the daemon goes on without it for {pause:.0f} s:\n{traceback.format_exc()}"
                )
            if self._stop.wait(pause):
                return None

    def _say(self, said: str, error: KairosError) -> str:
        if error.message != said:
            self._report(f"{error.message}; trying again")
        return error.message
