"""A repository in which files with keys come and go, and a reactor that is stepped and killed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from kairos.clock import now_us
from kairos.daemon.folded import World
from kairos.daemon.reactor import Reactor
from kairos.domain import controls
from kairos.domain.events import (
    Change,
    CommitChange,
    CommitRecorded,
    Event,
    FilesChanged,
    GitMoved,
)
from kairos.domain.proposal import Proposal
from kairos.eventlog.leases import Everything
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.controls import ControlsView
from kairos.eventlog.views.inbox import InboxView
from kairos.home import Home
from kairos.schedule.scheduler import Scheduler

SECRET = "secret"
"""The detector of what `Muting.write` writes."""


def two_pages(repo: Any) -> None:
    """Commits `a.md` and `b.md`, each of which names a file of its own."""
    for name in ("a", "b"):
        repo.write(f"src/{name}.py", f"def {name}():\n    return '{name}' * 3\n")
        repo.write(f"{name}.md", f"see [{name}](src/{name}.py)\n")
    repo.commit()


class Killed(Exception):
    """The daemon dies: nothing after this append happens."""


class DyingLog(Log):
    """Dies after so many appends."""

    left = -1

    def append(self, events: Any, *, expected: Any = None, writes: Any = ()) -> list[int]:
        if self.left == 0:
            raise Killed
        self.left -= 1
        return super().append(events, expected=expected, writes=writes)


class Muting:
    """A repository in which files with keys come and go, a person who mutes, pauses and undoes, and a reactor that is
    stepped and killed."""

    def __init__(self, others: Any, home: Home) -> None:
        self.others, self.home, self.root = others, home, others.root
        self.id, self.count = others.repo, 0
        self.log = others.log
        self.start()

    def start(self, dies_after: int = -1) -> None:
        """A daemon begins; it dies after so many appends (-1: never)."""
        self.own = DyingLog(self.home.log)
        self.world = World(self.own)
        self.world.load()
        self.reactor = Reactor(
            self.home, self.others.config, self.own, self.world, Everything(), lambda: UTC, Scheduler(lambda: None)
        )  # fmt: skip
        self.own.left = dies_after
        self.begun = False

    def settle(self) -> None:
        """The daemon does all there is to do; one that dies in it is started again, and does the rest."""
        while True:
            try:
                if not self.begun:
                    self.reactor.position, self.begun = self.reactor.catch_up(), True
                while self.reactor.position < self.log.head() or not self._idle():
                    self.reactor._take()
                    self.reactor.step()
                self.reactor.leave()
                return
            except Killed:
                self.own.close()
                self.start()

    def _idle(self) -> bool:
        return self.reactor.step() is None

    def say(self, event: Event, cause: int | None = None) -> int:
        stream = getattr(event, "repo", "") or "control"
        origin = "live" if isinstance(event, FilesChanged | GitMoved | CommitRecorded) else "user"
        return int(self.others.say(event, stream, cause, origin=origin))

    def write(self) -> str:
        self.count += 1
        path = f"k{self.count}.env"
        (self.root / path).write_text(f"AWS=AKIAQ3EGRT5HZX7{self.count:05}\n")
        self.changed(path, "created")
        return path

    def remove(self, path: str) -> None:
        (self.root / path).unlink()
        self.changed(path, "deleted")

    def changed(self, path: str, kind: Any) -> None:
        self.count += 1
        changes = [Change(kind=kind, path=path)]
        self.say(FilesChanged(repo=self.id, burst=f"{self.count:x}", part=1, parts=1, changes=changes))

    def commit(self, git: Any, changes: Sequence[CommitChange] = ()) -> None:
        paths = git.git("ls-files", "-o", "--exclude-standard").split()
        oid = git.commit()
        moved = self.say(GitMoved(repo=self.id, head="refs/heads/main", refs=[], what="commit"))
        changes = changes or [CommitChange(path=p, status="A") for p in paths]
        parents = git.git("rev-list", "--parents", "-1", oid).split()[1:]
        self.say(
            CommitRecorded(repo=self.id, oid=oid, parents=parents, author="A", at_s=0, subject="s", changes=[*changes]),
            moved,
        )

    def undo(self) -> None:
        state = ControlsView().load(self.log)[0]
        for entry in controls.in_effect(state, None, now_us())[:1]:
            back = controls.take_back(state, entry, now_us())
            first, *rest = [NewEvent("control", e, None, "user") for e in back]
            self.log.append([first, *(NewEvent(n.stream, n.event, -1, n.origin) for n in rest)])

    def told(self, topic: str) -> list[Any]:
        return list(self.others.told(topic))

    def pending(self) -> list[Proposal]:
        return InboxView().load(self.log)[0].pending()

    def named(self) -> set[str]:
        """The files that a waiting proposal is about."""
        return {p.raised.title.split(" in ")[1].split(",")[0] for p in self.pending()}
