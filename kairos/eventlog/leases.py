"""Division of work on a shared log: leases that expire by the server's clock, with tokens that fence every append.

If a holder was suspended for too long and its token was replaced, its next append raises LeaseLost and writes nothing.
On a log of one home every lease counts as held, without a query.
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
"""How many times a lease is renewed within its duration."""


def repo_lease(repo: str) -> str:
    """The lease for sensing a repository, running its turns and carrying out its actions."""
    return f"repo/{repo}"


def job_lease(job: str) -> str:
    """The lease for running a nightly job."""
    return f"job/{job}"


def daemon_lease(owner: str) -> str:
    """The lease that shows that a home's daemon is alive."""
    return f"daemon/{owner}"


def holder(owner: str, process: int = 0) -> str:
    """The holder name of a home's daemon, `HOST/HOME`, or with `process` of one command, `HOST/HOME/PID`."""
    return f"{os.uname().nodename}/{owner}" + (f"/{process}" if process else "")


class HeldLeases(Protocol):
    """The leases that this process holds."""

    @property
    def edition(self) -> int:
        """A counter that increases whenever a lease is acquired or lost."""

    def fences(self, name: str) -> tuple[Fence, ...] | None:
        """The fences for appends under a lease; None if this process does not hold it."""

    def lose(self, lost: LeaseLost) -> None:
        """Reports that an append was refused: leases that were taken over are no longer held."""

    def confirm(self, name: str) -> None:
        """LeaseLost if the lease was taken over. Queries the server only if the last renewal is too long ago."""


class Everything:
    """The leases on the log of one home: all are held."""

    edition = 0

    def fences(self, name: str) -> tuple[Fence, ...] | None:
        return ()

    def lose(self, lost: LeaseLost) -> None:
        raise lost

    def confirm(self, name: str) -> None:
        """Does nothing: there is no other holder."""


def fences_of(held: HeldLeases, repos: Iterable[str]) -> tuple[Fence, ...]:
    """The fences for appends under the leases of these repositories, for those that are held."""
    return tuple(f for repo in repos for f in held.fences(repo_lease(repo)) or ())


def is_mine(log: Log, held: HeldLeases, repo: str) -> bool:
    """Whether a repository's lease is held and among the fences of `log`. A lease that was acquired after `log` was
    fenced does not count yet."""
    fences = held.fences(repo_lease(repo))
    return fences is not None and set(fences) <= set(log.fences)


class LeasePlan(NamedTuple):
    """The leases to give up, to renew and to take now, each list sorted by name."""

    give_up: list[str]
    renew: list[str]
    take: list[str]


def plan(wanted: Collection[str], renewed: Mapping[str, float], now: float, seconds: float) -> LeasePlan:
    """The plan for now. `renewed`: the held leases with the time (s) of their last renewal; the next renewal is due a
    third of `seconds` later."""
    return LeasePlan(
        sorted(renewed.keys() - wanted),
        sorted(n for n, at in renewed.items() if n in wanted and now - at >= seconds / RENEWALS),
        sorted(set(wanted) - renewed.keys()),
    )


class Keeper:
    """Takes and renews the leases that a process wants. `run` belongs to one thread; any thread may call the rest."""

    def __init__(self, leases: Leases, holder: str, seconds: float, on_change: Callable[[], None]) -> None:
        self._leases = leases
        self._holder = holder
        self._seconds = seconds
        self._on_change = on_change
        self._wanted: frozenset[str] = frozenset()
        self._tokens: dict[str, int] = {}
        self._renewed: dict[str, float] = {}
        self._lock = threading.RLock()  # guards the connection and the dicts above
        self._stop = threading.Event()
        self._edition = 0

    @property
    def edition(self) -> int:
        return self._edition

    def fences(self, name: str) -> tuple[Fence, ...] | None:
        token = self._tokens.get(name)
        return None if token is None else (Fence(name, token),)

    def want(self, names: Collection[str]) -> None:
        """Sets the wanted leases: takes those that are free now and the others later, and gives up all other leases."""
        self._wanted = frozenset(names)
        self.tend()

    def tend(self) -> None:
        """Gives up, renews and takes leases once. TryAgain while the server is unavailable: no lease is lost, because
        no other process can take one either."""
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
                self._renewed[name] = -self._seconds  # any of them may be the lost one: renew all
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
        """Renews held leases and takes wanted ones that become free, until stopped."""
        while not self._stop.wait(self._seconds / RENEWALS / 2):
            try:
                self.tend()
            except TryAgain:
                continue  # every append fails in the same way and reports it

    def stop(self) -> None:
        """Ends `run`."""
        self._stop.set()

    def close(self) -> None:
        """Gives up all leases, if the server is available, and closes the connection."""
        try:
            self.want(())
        except TryAgain:
            self._tokens.clear()  # they expire on the server
        self._leases.close()

    def _forget(self, name: str) -> None:
        del self._tokens[name], self._renewed[name]


@contextmanager
def holding(log: Log, name: str, holder: str, seconds: float) -> Iterator[bool]:
    """Holds a lease for one piece of work and fences the appends of `log` meanwhile. Yields False, without a fence, if
    another holder has the lease; True on a log of one home."""
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
    """(present holder of a lease, its fence); None if the lease is free or the log belongs to one home."""
    leases = log.leases()
    if leases is None:
        return None
    try:
        found = next((one for one in leases.current() if one.name == name), None)
    finally:
        leases.close()
    return None if found is None else (found.holder, (Fence(name, found.token),))


def _clock() -> float:
    """The time (s) of a clock that keeps running while the process is stopped or, on Linux, the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
