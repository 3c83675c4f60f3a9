"""The sensing thread of one repository: waits for hints, joins them into bursts, and looks at the repository."""

from __future__ import annotations

import errno
import logging
import math
import os
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
from kairos.repo.health import advised, require_readable_root, require_sound, vitals
from kairos.sensing.git_watch import GitWatch
from kairos.sensing.head_objects import HeadObjects
from kairos.sensing.hints import SuspendClock, open_hints
from kairos.sensing.ignoring import Signature
from kairos.sensing.observing import Observer
from kairos.sensing.refs import places
from kairos.sensing.retry import Retry
from kairos.sensing.root import lost, nearest, why_lost
from kairos.sensing.settle import Burst, Settle
from kairos.sensing.status import SensorStatus, status_of
from kairos.sensing.sweeping import Sweeper, SweepTurns
from kairos.settings import WatchSettings

logger = logging.getLogger(__name__)

POLL_S = 3.0
POLLED_AT_ONCE = 2_000
RETRY_S = 2.0
SCAN_REST = 3.0
"""After a full comparison, the next one caused by lost hints waits this many times its duration."""
ATTEMPTS = 8
"""How many times in a row a look may be deferred because git was writing."""


class Sensor:
    """Keeps the log up to date with one repository. One thread arms and steps it; any thread may call `wake` or
    `status`. Only the stepping thread uses the log."""

    def __init__(
        self,
        log: Log,
        repository: Repository,
        watching: WatchSettings | None = None,
        excluded: Sequence[Path] = (),
        *,
        salt: bytes = b"",
        turns: SweepTurns | None = None,
    ) -> None:
        """`excluded`: directories inside the tree to leave out. `salt` makes a secret in a ref's name unguessable.
        `turns`: shared by the sensors of a process, so that one of them sweeps at a time."""
        self._log = log
        self._repository = repository
        self._watching = watching or WatchSettings()
        self._excluded = list(excluded)
        self._salt = salt
        self._root = os.fsencode(repository.root)
        self._path = Path(repository.root)
        self._git = Git(self._path)
        self._hints = open_hints(self._watching.observer, self._root)
        self._settle = Settle()
        self._suspend = SuspendClock()
        self._sweeper = Sweeper(turns or SweepTurns(), self._watching.sweep_minutes * 60, self._hints.wake)
        self._observer: Observer | None = None
        self._git_watch: GitWatch | None = None
        self._head_objects: HeadObjects | None = None
        self._outside: set[bytes] = set()
        self._lost = repository.lost
        self._above = b""
        self._problem = self._remedy = ""
        self._retry = Retry()
        self._failing = False
        self._origin: Origin = "offline"
        self._woken = False
        self._heard_us = now_us()
        self._gap_open = self._limited = False
        self._stale_lock: Signature = None
        self._attempts = 0
        self._next_poll = self._next_scan = self._paused_until = 0.0
        self._poll_from = 0
        self._status = SensorStatus(path=repository.root, state="stopped")

    def arm(self) -> int:
        """Watches, then scans, then appends what changed while no sensor was running (origin offline). Returns the
        number of events. If the repository cannot be read, it is `degraded` and a later step retries. Raises TryAgain
        if the events cannot be stored."""
        try:
            why = why_lost(self._repository)
            if why is not None:
                return self._lose(why)
            return self._find() if self._lost else self._begin()
        except (GitError, OSError) as error:
            self._fail(error)
            return 0
        finally:
            self._refresh_status()

    def step(self, timeout_s: float = math.inf) -> int:
        """Waits until events were appended, the status changed, `wake` was called or the timeout passed; returns the
        number of events. Call `wake` after the machine slept: then hints may be lost, and only a round notices."""
        end, before = time.monotonic() + timeout_s, self._status
        while True:
            now = time.monotonic()
            dirty, losses = self._hints.wait(min(end, self._next_deadline(now)) - now)
            appended = self._round(dirty, losses)
            now = time.monotonic()
            woken, self._woken = self._woken, False
            if appended or woken or now >= end or self._status != before:
                return appended

    @property
    def pending(self) -> bool:
        """Whether a burst is open, that is, hints arrived whose changes are not appended yet."""
        return self._settle.pending

    def wake(self) -> None:
        """Ends the present or next `step`."""
        self._woken = True
        self._hints.wake()

    def break_off(self) -> None:
        """Ends a step that is waiting for git. The next `arm` finds what it missed. May be called from any thread."""
        self._git.break_off()

    def status(self) -> SensorStatus:
        """The state as of the last step."""
        return self._status

    def close(self) -> None:
        """Stops watching. The next `arm` finds the changes made in between."""
        self._sweeper.stop()
        self._hints.close()
        self._status = msgspec.structs.replace(self._status, state="stopped", watched=0, polled=0)

    # -- one round -------------------------------------------------------------------------------------

    def _round(self, dirty: Iterable[bytes], losses: Iterable[str]) -> int:
        """One round. A full disk, a busy log or a broken repository does not end it: the work is retried."""
        try:
            return self._work(dirty, losses)
        except TryAgain as error:
            self._say(error)
            self._paused_until = time.monotonic() + RETRY_S
            if self._observer is not None:
                self._settle.mark(time.monotonic(), git=True, everything=True)
        except (GitError, OSError) as error:
            self._fail(error)
        finally:
            self._refresh_status()
        return 0

    def _work(self, dirty: Iterable[bytes], losses: Iterable[str]) -> int:
        now = time.monotonic()
        reasons = [*losses, *(["suspend"] if self._suspend.jumped() else [])]
        why = why_lost(self._repository)
        if why is not None:
            return self._lose(why)
        if self._lost:
            return self._find()
        if dirty and self._retry.due is not None:
            self._retry.hurry(now, vitals(self._path))
        if now < self._paused_until or (self._failing and not self._retry.take(now)):
            return 0  # everything is marked
        self._failing = False
        if self._observer is None or self._git_watch is None:
            return self._begin()
        require_readable_root(self._path)
        self._take(dirty, now)
        appended = self._gap(reasons, now) if reasons else 0
        self._heard_us = now_us()
        lock = self._observer.lock()
        self._settle.lock(now, held=lock is not None and lock != self._stale_lock)
        if self._sweeper.begin(now, self._observer.tree):
            self._git_watch.cover_all()
            self._settle.mark(now, thorough=True)
        self._settle.mark(now, self._sweeper.slice(now, self._observer.tree, self._hints))
        if self._retry.take(now):
            self._settle.mark(now, git=True)
        if self._hints.polled and now >= self._next_poll:
            self._poll(now)
        burst = self._settle.take(now)
        return appended + (self._look(burst) if burst is not None else 0)

    def _next_deadline(self, now: float) -> float:
        if self._lost or self._failing or self._observer is None:
            return max(now, self._paused_until, self._retry.due or now)
        deadlines = [self._sweeper.due_at(now)]
        deadlines += filter(None, (self._settle.due_at(), self._retry.due))
        if self._hints.polled:
            deadlines.append(self._next_poll)
        return max(now, self._paused_until, min(deadlines))

    def _take(self, dirty: Iterable[bytes], now: float) -> None:
        """Sorts hints into directories of the tree and directories of git."""
        assert self._git_watch is not None and self._observer is not None and self._head_objects is not None
        dirs, git, objects = set(), [], False
        for path in dirty:
            if path in self._outside:
                self._cover_outside()  # first, so that later changes in a directory created just now leave a hint
                git += [path] if self._observer.rules.stale() else []
            if self._head_objects.holds(path):
                objects = True
            elif self._git_watch.holds(path):
                git.append(path)
            elif path == self._root:
                dirs.add(b"")
                git += self._git_watch.cover_lost()
            elif path.startswith(self._root + b"/"):
                dirs.add(path[len(self._root) + 1 :])
        if git:
            self._git_watch.cover(git)
        self._settle.mark(now, dirs, git=bool(git), thorough=objects and self._head_objects.differ())

    def _cover_outside(self) -> None:
        """Watches the directories of the ignore rules outside the tree."""
        assert self._observer is not None
        self._outside = set(self._observer.rules.places())
        self._hints.confirm(self._hints.missing(list(self._outside)))

    def _follow_objects(self) -> None:
        """Watches the objects that HEAD needs."""
        assert self._observer is not None and self._head_objects is not None
        if self._observer.trouble is None:
            self._head_objects.follow(self._git, self._observer.head)

    def _look(self, burst: Burst, *, patient: bool = True) -> int:
        """Looks, and marks unfinished parts to be looked at again. `patient` False: do not wait for git."""
        assert self._observer is not None
        if self._observer.trouble is not None and burst.git and self._is_elsewhere():
            return self._begin()
        started = time.monotonic()
        lock = self._observer.lock()
        if lock is not None and started - burst.started >= self._settle.locked_cap:
            self._stale_lock = lock
        patient = patient and (lock is None or lock != self._stale_lock) and self._attempts < ATTEMPTS
        try:
            look = self._observer.look(burst, self._origin, started, patient=patient)
        except (KairosError, OSError):
            self._settle.back(burst, time.monotonic(), 0.0)
            raise
        now = time.monotonic()
        self._judge_trouble(now, tried=burst.git or burst.everything)
        self._attempts = self._attempts + 1 if look.unfinished else 0
        if burst.git or burst.everything:
            self._cover_outside()
            self._follow_objects()
        if burst.everything and not look.unfinished:
            self._gap_open, self._origin = False, "live"
            self._observer.tree.rest()
            self._sweeper.put_off(now)
            self._next_scan = now + SCAN_REST * (now - started)
        if look.unfinished:
            self._settle.back(burst, now, look.wait)
        self._settle.mark(now, look.again, everything=look.everything)
        self._settle.hold(now + look.wait)
        return look.appended + self._tell_limit()

    def _tell_limit(self) -> int:
        """Reports once that the kernel's limit of watches or instances is reached; directories are polled meanwhile."""
        limited, self._limited = self._limited, bool(self._hints.polled)
        if not self._limited or limited:
            return 0
        now = now_us()
        reason = "watch_limit" if self._hints.shortage == errno.ENOSPC else "instance_limit"
        return self._append(WatchGap(repo=self._repository.id, reason=reason, from_us=now, to_us=now), "live")

    def _begin(self) -> int:
        """Watches and scans everything, and appends the difference from the last recorded state."""
        self._observer = None
        require_sound(self._path)
        at = places(self._git)
        self._git_watch = GitWatch(at.git_dir, at.common, self._hints)
        self._git_watch.cover_all()
        self._head_objects = HeadObjects(at.common, self._hints)
        self._observer = Observer(
            self._log, self._repository, self._git, at, self._excluded, self._hints, self._salt
        )  # fmt: skip
        try:
            return self._look(Burst(frozenset(), True, True, time.monotonic()), patient=False)
        except (KairosError, OSError):
            self._observer, self._settle = None, Settle()  # the next attempt looks at everything
            raise

    def _is_elsewhere(self) -> bool:
        """Whether, after trouble with git, the repository's git directories have moved."""
        assert self._observer is not None
        try:
            return places(self._git) != self._observer.places
        except GitError:
            return False

    def _judge_trouble(self, now: float, *, tried: bool) -> None:
        """Updates the retry state after a look. `tried`: the look ran git."""
        assert self._observer is not None
        trouble = self._observer.trouble
        self._say(trouble)
        if trouble is None:
            self._retry.over()
        elif tried or self._retry.due is None:
            self._retry.failed(now, vitals(self._path))

    def _fail(self, error: GitError | OSError) -> None:
        """Handles a repository that cannot be read at all: reports why, and marks everything for a later look."""
        self._say(error)
        now = time.monotonic()
        self._failing = True
        self._retry.failed(now, vitals(self._path))
        if self._observer is not None:
            self._settle.mark(now, git=True, everything=True)
        else:
            self._hints.confirm(self._hints.missing([self._root, self._root + b"/.git"]))

    def _lose(self, why: str) -> int:
        """Handles a trusted directory that is not at its path: reports it once."""
        self._observer, self._settle, self._failing = None, Settle(), False
        self._sweeper.stop()
        self._say(lost(why, self._repository.root))
        now = time.monotonic()
        if self._retry.due is None or self._retry.take(now):
            self._retry.failed(now, ())
        self._cover_above()
        if self._lost:
            return 0
        appended = self._append(RootLost(repo=self._repository.id, why=why), "live")
        self._lost = True
        return appended

    def _cover_above(self) -> None:
        """Watches the nearest existing directory above a lost root, which may change while this runs."""
        while (above := os.fsencode(nearest(self._path))) != self._above:
            self._hints.drop([self._above])
            self._above = above
            self._hints.confirm([above])

    def _find(self) -> int:
        appended = self._append(RootFound(repo=self._repository.id), self._origin)
        self._lost = False
        self._say(None)
        self._retry.over()
        self._hints.drop([self._above])
        self._above = b""
        return appended + self._begin()

    def _gap(self, reasons: Sequence[str], now: float) -> int:
        """Handles lost hints: records the gap and schedules a full comparison; the delay grows with the duration of the
        last one."""
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
        """Marks the polled directories (those that could not be watched) as dirty, some at a time."""
        assert self._git_watch is not None
        self._next_poll = now + POLL_S
        polled = sorted(self._hints.polled)
        start = self._poll_from % len(polled)
        chosen = (polled + polled)[start : start + min(len(polled), POLLED_AT_ONCE)]
        self._poll_from = start + len(chosen)
        self._hints.confirm(chosen)
        self._take([dir for dir in chosen if not self._git_watch.holds(dir) or self._git_watch.differs(dir)], now)

    def _append(self, event: Event, origin: Origin) -> int:
        return len(self._log.append([NewEvent(self._repository.id, event, None, origin)]))

    def _say(self, error: KairosError | OSError | None) -> None:
        if isinstance(error, GitError):
            error = advised(error, self._path)
        problem = "" if error is None else error.message if isinstance(error, KairosError) else str(error)
        if problem and self._problem != problem:
            logger.warning("%s: %s", self._repository.root, problem)
        self._problem, self._remedy = problem, error.hint if isinstance(error, KairosError) else ""

    def _refresh_status(self) -> None:
        observer = self._observer
        self._status = status_of(
            self._repository.root, self._hints, lost=self._lost, problem=self._problem, remedy=self._remedy,
            directories=observer.directories if observer else 0, ignored=observer.tree.ignored if observer else 0,
        )  # fmt: skip
