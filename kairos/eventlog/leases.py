"""Who does what on a shared log: leases that run out by the server's clock, with tokens that fence every append.

A holder that stopped for too long finds its token replaced at its next append: LeaseLost, and nothing was written. On
a log of one home everything is held, and nothing is asked.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from kairos.errors import LeaseLost, TryAgain
from kairos.eventlog.database import Leases
from kairos.eventlog.log import Log
from kairos.eventlog.record import Fence

RENEWALS = 3
"""So often a lease is renewed before it would run out."""


def repo_lease(repo: str) -> str:
    """The lease of who senses a repository, runs its turns and carries out its actions."""
    return f"repo/{repo}"


def job_lease(job: str) -> str:
    """The lease of who runs a nightly job."""
    return f"job/{job}"


def daemon_lease(owner: str) -> str:
    """The lease that says that a home's daemon is alive."""
    return f"daemon/{owner}"


def holder(owner: str, process: int = 0) -> str:
    """How a home's daemon, or with `process` one command of it, is called: `HOST/HOME` or `HOST/HOME/PID`."""
    return f"{os.uname().nodename}/{owner}" + (f"/{process}" if process else "")


class HeldLeases(Protocol):
    """What this process may do."""

    @property
    def edition(self) -> int:
        """Rises whenever something is gained or lost."""

    def fences(self, name: str) -> tuple[Fence, ...] | None:
        """What appends under a lease rest on; None when somebody else has it or nobody yet."""

    def lose(self, lost: LeaseLost) -> None:
        """An append was refused: what was taken over is not held any more."""

    def confirm(self, name: str) -> None:
        """LeaseLost if it was taken over, which is asked where too much time has passed to know."""


class Everything:
    """The log of one home: all is held."""

    edition = 0

    def fences(self, name: str) -> tuple[Fence, ...] | None:
        return ()

    def lose(self, lost: LeaseLost) -> None:
        raise lost

    def confirm(self, name: str) -> None:
        """Nobody else is there."""


def fences_of(held: HeldLeases, repos: Iterable[str]) -> tuple[Fence, ...]:
    """What appends rest on under the leases of those of these repositories that are held."""
    return tuple(f for repo in repos for f in held.fences(repo_lease(repo)) or ())


def is_mine(log: Log, held: HeldLeases, repo: str) -> bool:
    """Whether a repository is held, and by what `log` is fenced with: one that was gained since waits."""
    fences = held.fences(repo_lease(repo))
    return fences is not None and set(fences) <= set(log.fences)


class LeasePlan(NamedTuple):
    """What to do now, each in the order of names."""

    give_up: list[str]
    renew: list[str]
    take: list[str]


def plan(wanted: Collection[str], renewed: Mapping[str, float], now: float, seconds: float) -> LeasePlan:
    """`renewed`: what is held, with the time (s) of its last renewal. A third of `seconds` after it the next is due."""
    return LeasePlan(
        sorted(renewed.keys() - wanted),
        sorted(n for n, at in renewed.items() if n in wanted and now - at >= seconds / RENEWALS),
        sorted(set(wanted) - renewed.keys()),
    )


class Keeper:
    """Keeps what a process wants to hold. `run` belongs to one thread; the rest is for any."""

    def __init__(self, leases: Leases, holder: str, seconds: float, on_change: Callable[[], None]) -> None:
        self._leases = leases
        self._holder = holder
        self._seconds = seconds
        self._on_change = on_change
        self._wanted: frozenset[str] = frozenset()
        self._tokens: dict[str, int] = {}
        self._renewed: dict[str, float] = {}
        self._lock = threading.RLock()  # over the connection and the books
        self._stop = threading.Event()
        self._edition = 0

    @property
    def edition(self) -> int:
        return self._edition

    def fences(self, name: str) -> tuple[Fence, ...] | None:
        token = self._tokens.get(name)
        return None if token is None else (Fence(name, token),)

    def want(self, names: Collection[str]) -> None:
        """Takes what can be taken now, and the rest when it can; what is not wanted any more is given up."""
        self._wanted = frozenset(names)
        self.tend()

    def tend(self) -> None:
        """One round. TryAgain while the server is away: nothing is lost, for nobody else can take it either."""
        with self._lock:
            before = dict(self._tokens)
            now = _clock()
            try:
                todo = plan(self._wanted, self._renewed, now, self._seconds)
                for name in todo.give_up:
                    self._leases.give_up(name, self._tokens[name])
                    self._forget(name)
                for name in todo.renew:
                    if self._leases.renew(name, self._tokens[name], self._seconds):
                        self._renewed[name] = now
                    else:
                        self._forget(name)
                for name in todo.take:
                    token = self._leases.take(name, self._holder, self._seconds)
                    if token is not None:
                        self._tokens[name], self._renewed[name] = token, now
            finally:
                changed = before != self._tokens
                self._edition += changed
        if changed:
            self._on_change()

    def lose(self, lost: LeaseLost) -> None:
        with self._lock:
            for name in self._renewed:
                self._renewed[name] = -self._seconds  # whichever it was, the next round asks
        while not self._stop.is_set():
            try:
                self.tend()
            except TryAgain:
                self._stop.wait(1.0)
            else:
                return

    def confirm(self, name: str) -> None:
        with self._lock:
            token, renewed = self._tokens.get(name), self._renewed.get(name, 0.0)
            now = _clock()
            if token is not None and now - renewed < self._seconds / 2:
                return
            if token is not None and self._leases.renew(name, token, self._seconds):
                self._renewed[name] = now
                return
        raise Fence(name, 0).lost()

    def run(self) -> None:
        """Renews what is held, and takes what comes free, until stopped."""
        while not self._stop.wait(self._seconds / RENEWALS / 2):
            try:
                self.tend()
            except TryAgain:
                continue  # every append meets the same, and says so

    def stop(self) -> None:
        """Ends `run`."""
        self._stop.set()

    def close(self) -> None:
        """Gives everything up, if the server is there, and lets the connection go."""
        try:
            self.want(())
        except TryAgain:
            self._tokens.clear()  # they run out by themselves
        self._leases.close()

    def _forget(self, name: str) -> None:
        del self._tokens[name], self._renewed[name]


@contextmanager
def holding(log: Log, name: str, holder: str, seconds: float) -> Iterator[bool]:
    """Holds a lease for one piece of work, and fences what `log` appends meanwhile. False while somebody else has it;
    nothing is fenced then. True on a log of one home."""
    leases = log.leases()
    if leases is None:
        yield True
        return
    keeper = Keeper(leases, holder, seconds, lambda: None)
    thread = threading.Thread(target=keeper.run, name="lease", daemon=True)
    try:
        keeper.want({name})
        fences = keeper.fences(name)
        if fences is not None:
            thread.start()
        with log.fenced(fences or (), also=True):
            yield fences is not None
    finally:
        keeper.stop()
        if thread.ident is not None:
            thread.join()
        keeper.close()


def held_by(log: Log, name: str) -> tuple[str, tuple[Fence, ...]] | None:
    """(who holds a lease now, the fence of that); None where nobody does or nobody is asked."""
    leases = log.leases()
    if leases is None:
        return None
    try:
        found = next((one for one in leases.current() if one.name == name), None)
    finally:
        leases.close()
    return None if found is None else (found.holder, (Fence(name, found.token),))


def _clock() -> float:
    """Seconds that go on while the process is stopped or the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
