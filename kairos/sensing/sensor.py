"""The sensing thread of one repository: waits for hints, settles them, looks, and sleeps again."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from kairos.clock import now_us
from kairos.domain.events import Event, RootFound, RootLost, WatchGap
from kairos.errors import KairosError, TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Origin
from kairos.eventlog.views.repositories import Repository
from kairos.repo.git import Git, GitError
from kairos.sensing.git_watch import GitWatch
from kairos.sensing.hints import Hints, InotifyHints, SuspendClock
from kairos.sensing.ignoring import Signature
from kairos.sensing.observing import Observer
from kairos.sensing.refs import places
from kairos.sensing.root import why_lost
from kairos.sensing.settle import Burst, Settle
from kairos.settings import Watching

logger = logging.getLogger(__name__)

IDLE_S = 30.0
LOST_S = 1.0
POLL_S = 3.0
POLLED_AT_ONCE = 2_000
RETRY_S = 2.0
SCAN_REST = 3.0
"""After a full comparison, one that a loss asks for rests this many times its duration."""
ATTEMPTS = 8
"""So often a look may be put off in a row because git was writing."""


class SensorStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One repository as `kairos status` shows it. state: watching | degraded | lost | stopped."""

    path: str
    state: str
    directories: int = 0
    watched: int = 0
    polled: int = 0
    ignored: int = 0
    problem: str = ""


class Sensor:
    """Keeps the log equal to one repository. One thread arms and steps it; any thread may `wake` it or ask for its
    `status`. The log is used by the stepping thread only."""

    def __init__(
        self,
        log: Log,
        repository: Repository,
        watching: Watching | None = None,
        excluded: Sequence[Path] = (),
        *,
        salt: bytes = b"",
    ) -> None:
        """`excluded`: directories of no interest inside the tree. `salt` makes a secret in a ref's name unguessable."""
        self._log = log
        self._repository = repository
        self._watching = watching or Watching()
        self._excluded = list(excluded)
        self._salt = salt
        self._root = os.fsencode(repository.root)
        self._git = Git(Path(repository.root))
        self._hints: Hints = _hints(self._watching.observer, self._root)
        self._settle = Settle()
        self._suspend = SuspendClock()
        self._observer: Observer | None = None
        self._git_watch: GitWatch | None = None
        self._outside: set[bytes] = set()
        self._lost = repository.lost
        self._problem = ""
        self._woken = False
        self._heard_us = now_us()
        self._gap_open = self._limited = False
        self._stale_lock: Signature = None
        self._attempts = 0
        self._next_sweep = self._next_poll = self._next_scan = self._retry_at = 0.0
        self._poll_from = 0
        self._status = SensorStatus(path=repository.root, state="stopped")

    def arm(self) -> int:
        """Watches, then scans, then tells what changed while nobody watched (origin offline). Returns how many
        events that took. TryAgain when they cannot be stored, GitError when the repository is broken."""
        why = why_lost(self._repository)
        try:
            if why is not None:
                return self._lose(why)
            return self._find("offline") if self._lost else self._begin("offline")
        finally:
            self._refresh_status()

    def step(self, timeout_s: float = IDLE_S) -> int:
        """Waits until something was told, `wake` was called or the timeout passed; returns how many events."""
        end = time.monotonic() + timeout_s
        while True:
            now = time.monotonic()
            dirty, losses = self._hints.wait(min(end, self._next_deadline(now)) - now)
            appended = self._round(dirty, losses)
            now = time.monotonic()
            woken, self._woken = self._woken, False
            if appended or woken or now >= end:
                return appended

    @property
    def pending(self) -> bool:
        """Whether a burst is open: hints came that are not yet told."""
        return self._settle.pending

    def wake(self) -> None:
        """Ends the present or next `step`."""
        self._woken = True
        self._hints.wake()

    def status(self) -> SensorStatus:
        """The state as of the last step."""
        return self._status

    def close(self) -> None:
        """Stops watching. Nothing is lost: the next `arm` finds what happens from here on."""
        self._hints.close()
        self._status = msgspec.structs.replace(self._status, state="stopped", watched=0, polled=0)

    # -- one round -------------------------------------------------------------------------------------

    def _round(self, dirty: Iterable[bytes], losses: Iterable[str]) -> int:
        """One round that survives a full disk, a busy log and a broken repository: it is tried again."""
        try:
            return self._work(dirty, losses)
        except (TryAgain, GitError, OSError) as error:
            self._say(error.message if isinstance(error, KairosError) else str(error))
            self._retry_at = time.monotonic() + RETRY_S
            self._settle.mark(time.monotonic(), git=True, everything=True)
            self._settle.hold(self._retry_at)
            return 0
        finally:
            self._refresh_status()

    def _work(self, dirty: Iterable[bytes], losses: Iterable[str]) -> int:
        now = time.monotonic()
        reasons = [*losses, *(["suspend"] if self._suspend.jumped() else [])]
        why = why_lost(self._repository)
        if why is not None:
            return self._lose(why)
        if now < self._retry_at:
            return 0
        if self._lost:
            return self._find("live")
        if self._observer is None or self._git_watch is None:
            return self._begin("live")
        self._take(dirty, now)
        appended = self._gap(reasons, now) if reasons else 0
        self._heard_us = now_us()
        lock = self._observer.lock()
        self._settle.lock(now, held=lock is not None and lock != self._stale_lock)
        if now >= self._next_sweep:
            self._next_sweep = now + self._watching.sweep_minutes * 60
            self._git_watch.cover_all()
            self._settle.mark(now, git=True, everything=True)
        if self._hints.polled and now >= self._next_poll:
            self._poll(now)
        burst = self._settle.take(now)
        return appended + (self._look(burst, "live") if burst is not None else 0)

    def _next_deadline(self, now: float) -> float:
        if self._lost or self._observer is None:
            return now + LOST_S
        deadlines = [now + IDLE_S, self._next_sweep]
        due = self._settle.due_at()
        if due is not None:
            deadlines.append(due)
        if self._hints.polled:
            deadlines.append(self._next_poll)
        return max(now, min(deadlines))

    def _take(self, dirty: Iterable[bytes], now: float) -> None:
        """Sorts hints into directories of the tree and news of git."""
        assert self._git_watch is not None and self._observer is not None
        dirs, git = set(), []
        for path in dirty:
            if path in self._outside:
                self._cover_outside()  # first: what comes into a directory that came just now must leave a hint
                git += [path] if self._observer.rules.stale() else []
            if self._git_watch.holds(path):
                git.append(path)
            elif path == self._root:
                dirs.add(b"")
                git += self._git_watch.cover_lost()
            elif path.startswith(self._root + b"/"):
                dirs.add(path[len(self._root) + 1 :])
        if git:
            self._git_watch.cover(git)
        self._settle.mark(now, dirs, git=bool(git))

    def _cover_outside(self) -> None:
        """Watches where ignore rules outside the tree change."""
        assert self._observer is not None
        self._outside = set(self._observer.rules.places())
        self._hints.confirm(self._hints.missing(list(self._outside)))

    def _look(self, burst: Burst, origin: Origin, *, patient: bool = True) -> int:
        """Looks and gives back what is not finished. `patient` False: do not wait for git."""
        assert self._observer is not None
        started = time.monotonic()
        lock = self._observer.lock()
        if lock is not None and started - burst.started >= self._settle.locked_cap:
            self._stale_lock = lock
        patient = patient and (lock is None or lock != self._stale_lock) and self._attempts < ATTEMPTS
        try:
            look = self._observer.look(burst, origin, started, patient=patient)
        except (KairosError, OSError):
            self._settle.back(burst, time.monotonic(), RETRY_S)
            raise
        now = time.monotonic()
        self._say(self._observer.trouble)
        if self._problem:
            self._next_sweep = min(self._next_sweep, now + IDLE_S)
        self._attempts = self._attempts + 1 if look.unfinished else 0
        if burst.git or burst.everything:
            self._cover_outside()
        if burst.everything and not look.unfinished:
            self._gap_open = False
            self._observer.tree.rest()
            self._next_scan = now + SCAN_REST * (now - started)
        if look.unfinished:
            self._settle.back(burst, now, look.wait)
        self._settle.mark(now, look.again, everything=look.everything)
        self._settle.hold(now + look.wait)
        return look.appended + self._tell_limit()

    def _tell_limit(self) -> int:
        """Says once that the kernel has no watches left; until it has, some directories are polled."""
        limited, self._limited = self._limited, bool(self._hints.polled)
        if not self._limited or limited:
            return 0
        now = now_us()
        return self._append(WatchGap(repo=self._repository.id, reason="watch_limit", from_us=now, to_us=now), "live")

    def _begin(self, origin: Origin) -> int:
        """Watches and scans everything, and tells the difference to what the log was last told."""
        at = places(self._git)
        self._git_watch = GitWatch(at.git_dir, at.common, self._hints)
        self._git_watch.cover_all()
        self._observer = Observer(
            self._log, self._repository, self._git, at, self._excluded, self._hints, self._salt
        )  # fmt: skip
        now = time.monotonic()
        self._next_sweep = now + self._watching.sweep_minutes * 60
        return self._look(Burst(frozenset(), True, True, now), origin, patient=False)

    def _lose(self, why: str) -> int:
        """The trusted directory is not at its path: says so once."""
        self._observer, self._settle, self._problem = None, Settle(), why
        if self._lost:
            return 0
        appended = self._append(RootLost(repo=self._repository.id, why=why), "live")
        self._lost = True
        return appended

    def _find(self, origin: Origin) -> int:
        appended = self._append(RootFound(repo=self._repository.id), origin)
        self._lost, self._problem = False, ""
        return appended + self._begin(origin)

    def _gap(self, reasons: Sequence[str], now: float) -> int:
        """Hints were lost: says so, and compares everything, the sooner the cheaper that was last time."""
        appended = 0
        if not self._gap_open:
            event = WatchGap(
                repo=self._repository.id, reason="+".join(sorted(set(reasons))), from_us=self._heard_us, to_us=now_us()
            )
            appended = self._append(event, "live")
            self._gap_open = True
        self._settle.mark(now, git=True, everything=True)
        self._settle.hold(self._next_scan)
        return appended

    def _poll(self, now: float) -> None:
        """Marks directories that the kernel could not watch, some at a time."""
        self._next_poll = now + POLL_S
        polled = sorted(self._hints.polled)
        start = self._poll_from % len(polled)
        chosen = (polled + polled)[start : start + min(len(polled), POLLED_AT_ONCE)]
        self._poll_from = start + len(chosen)
        self._hints.confirm(chosen)
        self._take(chosen, now)

    def _append(self, event: Event, origin: Origin) -> int:
        return len(self._log.append([NewEvent(self._repository.id, event, None, origin)]))

    def _say(self, problem: str) -> None:
        if problem and self._problem != problem:
            logger.warning("%s: %s", self._repository.root, problem)
        self._problem = problem

    def _refresh_status(self) -> None:
        polled = len(self._hints.polled)
        state = "lost" if self._lost else "degraded" if polled or self._problem else "watching"
        observer = self._observer
        self._status = SensorStatus(
            path=self._repository.root, state=state, watched=self._hints.watched, polled=polled,
            directories=observer.directories if observer else 0, ignored=observer.tree.ignored if observer else 0,
            problem=self._problem,
        )  # fmt: skip


def _hints(observer: str, root: bytes) -> Hints:
    """The hint source that the configuration names; `auto` is inotify where there is one."""
    if observer == "watchdog" or (observer == "auto" and not sys.platform.startswith("linux")):
        from kairos.sensing.watchdog_hints import WatchdogHints

        return WatchdogHints(root)
    return InotifyHints()
