"""Watches the logs that a person named, and tells what is new in them: once for a template, with the commit that wrote
the line where that can be proven.

It sleeps until a directory of a watched log changes or a watched command prints something. What was learnt of a log,
the place up to which it was read and what was told are saved in one append, so that a crash tells nothing twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from kairos.clock import now_us
from kairos.daemon.component import Component
from kairos.daemon.fact_turns import record_turn
from kairos.daemon.folded import World
from kairos.daemon.log_findings import DETECTOR, finding_of, watch_of
from kairos.daemon.log_followed import FollowedFile, FollowedLog
from kairos.daemon.log_heard import HeardLog
from kairos.daemon.log_kept import kept_of
from kairos.daemon.turns import Looker
from kairos.domain.events import LogLineTold
from kairos.domain.logs.past import LogNews, literals
from kairos.domain.logs.state import WatchedLog, kept_view, watch_stream
from kairos.domain.logs.templates import words_of
from kairos.domain.proposal import LASTING, supersede
from kairos.errors import Conflict
from kairos.eventlog.leases import HeldLeases, fences_of, is_mine
from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop, Fence, NewEvent
from kairos.eventlog.views.commits import CommitsView, events_of_commit
from kairos.eventlog.views.repositories import Repository
from kairos.home import Home
from kairos.repo.git import Git
from kairos.repo.line_origin import LineOrigin, line_origin
from kairos.sensing.hints import InotifyHints
from kairos.settings import Config

BOUNDARY = "log"
POLL_S = 2.0
"""How often (s) a directory that cannot be watched is looked at."""
_COALESCE_S = 0.25
"""Lines that come within so many seconds are read together: a busy log does not wake the daemon for each."""


class LogWatching(Component):
    """Follows the watched logs of the repositories that this daemon holds."""

    name = "log-watching"
    alone = True
    wakes = frozenset(
        {"BaselineRecorded", "LogWatchNamed", "LogWatchRemoved", "Paused", "RepoTrusted", "RepoUnwatched", "Resumed"}
    )

    def __init__(
        self, home: Home, config: Config, log: Log, world: World, held: HeldLeases, report: Callable[[str], None]
    ) -> None:
        self._hints: InotifyHints | None = None
        super().__init__(log, world, held)
        self._home, self._report = home, report
        self._looker = Looker(home, config, log, world)
        self._followed: dict[tuple[str, str], FollowedLog] = {}
        self._said: dict[tuple[str, str], str] = {}
        self._printed = threading.Event()

    def wake(self) -> None:
        super().wake()
        if self._hints is not None:
            self._hints.wake()

    def stop(self) -> None:
        super().stop()
        if self._hints is not None:
            self._hints.wake()

    def fences(self) -> tuple[Fence, ...]:
        with self._world.reading() as views:
            repos = list(views.repos.by_id)
        return fences_of(self._held, repos)

    def step(self) -> float | None:
        """Reads what there is and tells what is due; the seconds until the next look without a hint."""
        self._printed.clear()
        repos = self._sync()
        waits: list[float] = []
        for key, followed in list(self._followed.items()):
            if self.stopped:
                break
            if followed.work():
                waits.append(0.0)
            self._say_why(key, followed)
            news, left = followed.due()
            if news:
                self._tell(repos[key[0]], followed, news)
            elif followed.unsaved():
                self._log.append([], writes=[followed.saving()])
                followed.saved()
            if left is not None:
                waits.append(left)
        if self._hints is not None and self._hints.polled:
            waits.append(POLL_S)
        return min(waits, default=None)

    def leave(self) -> None:
        for key in list(self._followed):
            self._end(key)

    def close(self) -> None:
        super().close()
        for followed in self._followed.values():  # those of a thread that ended with an error
            followed.close()
        if self._hints is not None:
            self._hints.close()

    def _sleep(self, seconds: float | None) -> None:
        if self._hints is None or self._woken.is_set() or seconds == 0.0:
            super()._sleep(seconds)
            return
        dirty: Iterable[bytes] = ()
        if not self._printed.is_set():
            dirty, _ = self._hints.wait(seconds)
        if (dirty or self._printed.is_set()) and not self._woken.is_set():
            self._woken.wait(_COALESCE_S)
        self._woken.clear()

    def _sync(self) -> dict[str, Repository]:
        """Begins and ends following by what is named now; returns the repositories of the watched logs."""
        with self._world.reading() as views:
            named = {(r, w.name): w for r, watches in views.log_watches.by_repo.items() for w in watches.values()}
            repos = {r: views.repos.by_id[r] for r in views.log_watches.by_repo if r in views.repos.by_id}
            left = [p for p in views.inbox.live() if p.raised.detector == DETECTOR and p.state in LASTING]
            resting = {r for r in repos if views.attention.is_paused(now_us(), r)}
        usable = {r for r, repo in repos.items() if repo.watched and repo.ready and is_mine(self._log, self._held, r)}
        wanted = {
            key: w for key, w in named.items() if key[0] in usable and (w.kind == "file" or key[0] not in resting)
        }
        for key, followed in list(self._followed.items()):
            if wanted.get(key) is None or wanted[key].named != followed.watch.named:
                self._end(key, forget=key not in named)
        for key, watch in wanted.items():
            if key not in self._followed:
                self._begin(key, watch, repos[key[0]])
        for p in left:
            if p.raised.repo in usable and (p.raised.repo, watch_of(p.raised.key)) not in named:
                with suppress(Conflict):  # a person decided at the same moment
                    events = supersede(p, f"the log `{watch_of(p.raised.key)}` is not watched any more")
                    self._log.append(
                        [NewEvent(p.stream, e, None, "system") for e in events], expected={p.stream: p.version}
                    )
                self._world.catch_up()
        self._watch_directories()
        return repos

    def _begin(self, key: tuple[str, str], watch: WatchedLog, repo: Repository) -> None:
        kept = kept_of(self._log, repo.id, watch)
        self._followed[key] = (
            FollowedFile(repo.id, watch, kept) if watch.kind == "file"
            else HeardLog(repo.id, watch, kept, home=self._home, root=Path(repo.root), woken=self._hear)
        )  # fmt: skip

    def _hear(self) -> None:
        """A command printed something. Called from its thread."""
        self._printed.set()
        if self._hints is not None:
            self._hints.wake()

    def _end(self, key: tuple[str, str], *, forget: bool = False) -> None:
        followed = self._followed.pop(key)
        followed.close()
        self._said.pop(key, None)
        if forget:
            self._log.append([], writes=[Drop(kept_view(key[0]), key[1].encode())])
            return
        news, _ = followed.due(ending=True)
        with self._world.reading() as views:
            repo = views.repos.by_id.get(key[0])
        if news and repo is not None:
            self._tell(repo, followed, news)
        elif followed.unsaved(ending=True):
            self._log.append([], writes=[followed.saving()])

    def _watch_directories(self) -> None:
        if not self._followed and self._hints is None:
            return
        wanted = {f.directory for f in self._followed.values() if f.directory is not None}
        if self._hints is None:
            self._hints = InotifyHints()
        missing = self._hints.missing(sorted(wanted))
        if missing and self._hints.confirm(missing):
            self.wake()  # what was written before the watch is read at once

    def _say_why(self, key: tuple[str, str], followed: FollowedLog) -> None:
        """Reports why a log cannot be read, once: not again when it is only other numbers, or when it comes again."""
        form = " ".join(words_of(followed.why))
        if form and form != self._said.get(key):
            self._said[key] = form
            self._report(f"log watch {key[1]}: {followed.why}")

    def _tell(self, repo: Repository, followed: FollowedLog, news: Sequence[LogNews]) -> None:
        """Records news and raises their findings, with what was learnt, in one append."""
        git, watch = Git(Path(repo.root)), followed.watch
        told = [_told(repo.id, watch.name, n, line_origin(git, literals(n.template.text))) for n in news]
        findings = [finding_of(t, [watch.named, *self._commit(t.commit)]) for t in told]
        facts = [NewEvent(watch_stream(repo.id, watch.name), t, watch.named, "system") for t in told]
        record_turn(
            self._log, self._world, self._looker, repo, detector=DETECTOR, boundary=BOUNDARY, facts=facts,
            findings=findings, cause=watch.named, writes=[followed.saving()],
        )  # fmt: skip
        followed.saved()

    def _commit(self, oid: str) -> list[int]:
        """The position of the event that recorded a commit."""
        return events_of_commit(self._log, CommitsView().load(self._log)[0], oid, 1) if oid else []


def _told(repo: str, watch: str, news: LogNews, origin: LineOrigin | None) -> LogLineTold:
    template = news.template
    return LogLineTold(
        repo=repo, watch=watch, id=template.id, news=news.kind, template=template.text, example=news.example,
        level=news.level, first=template.first, count=template.count, here=news.here, worst=news.worst,
        commit="" if origin is None else origin.commit,
        place="" if origin is None else f"{origin.path}:{origin.line}",
        subject="" if origin is None else origin.subject,
    )  # fmt: skip
