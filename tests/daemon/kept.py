"""A repository and the rooms of a daemon that turn, keep, verify and tell, over what sensing would tell."""

from __future__ import annotations

from itertools import count
from typing import Any

from kairos.acting import verifier
from kairos.clock import local_zone
from kairos.daemon.elsewhere import KEPT
from kairos.daemon.folded import World
from kairos.daemon.manners import manners
from kairos.daemon.speaking import Speaker
from kairos.daemon.turns import Looker
from kairos.domain import events as ev
from kairos.domain.attention import SPEAKING
from kairos.domain.events import Change, CommitChange, Event, Name
from kairos.domain.proposal import Proposal
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.repositories import repository_id
from kairos.home import Home
from kairos.repo.git import Git
from kairos.repo.objects import _name_status
from kairos.settings import AttentionSettings, Config

CONFIG = Config(
    attention=AttentionSettings(per_day=1_000, per_day_total=1_000, quiet_hours=""),
)
PAGE = "see [pay](src/pay.py)\n"
_KINDS = {"checkout": "switch", "stash": None, "push": None, "stage": "burst", "files": "burst"}


class Kept:
    """A repository, a log, and the rooms of a daemon that turn, keep, verify and tell; `sense` tells what changed."""

    def __init__(self, repo: Any, home: Home) -> None:
        self.repo, self.home, self.log, self.config = repo, home, Log(home.log), CONFIG
        at = repo.root.stat()
        self.id = repository_id(at.st_dev, at.st_ino, str(repo.root))
        self._append(
            ev.RepoTrusted(repo=self.id, root=str(repo.root), dev=at.st_dev, ino=at.st_ino, by="user"),
            ev.BaselineRecorded(repo=self.id, entries=1),
        )
        self.bursts = count()
        self.commits = set(self._reachable())
        self.listing = self._list()
        self.start()

    def start(self) -> None:
        """A daemon begins."""
        self.world = World(self.log)
        self.world.load()
        self.looker = Looker(self.home, self.config, self.log, self.world)
        self.speaker = Speaker(self.config, self.log, self.world, manners(self.config), local_zone, lambda repo: True)

    def _append(self, *events: Event) -> list[Any]:
        return [self.log.at(p) for p in self.log.append([NewEvent(self.id, e) for e in events])]

    def _reachable(self) -> list[str]:
        out = Git(self.repo.root).run("rev-list", "--reverse", "--date-order", "--branches", "HEAD").decode()
        return out.split()

    def _list(self) -> dict[str, bytes]:
        root = self.repo.root
        files = [p for p in root.rglob("*") if p.is_file() and ".git" not in p.relative_to(root).parts]
        return {str(p.relative_to(root)): p.read_bytes() for p in files}

    def sense(self, what: str = "files") -> None:
        """Tells what changed since the last time, as sensing would, and lets the daemon react."""
        news: list[Event] = []
        if what != "files":
            news.append(ev.GitMoved(repo=self.id, head="refs/heads/main", refs=[], what=what))
        git = Git(self.repo.root)
        for oid in [o for o in self._reachable() if o not in self.commits]:
            self.commits.add(oid)
            raw = git.run("diff-tree", "-r", "--root", "-M", "-z", "--name-status", "--no-commit-id", oid, "--")
            changes = [
                CommitChange(path=p, status=s, was=Name(path=was) if was else None) for p, s, was in _name_status(raw)
            ]
            parents = git.text("rev-list", "--parents", "-1", oid).split()[1:]
            news.append(
                ev.CommitRecorded(
                    repo=self.id, oid=oid, parents=parents, author="Ada", at_s=0, subject="s", changes=changes
                )
            )
        now, before = self._list(), self.listing
        kinds = [(p, "created") for p in now.keys() - before.keys()] + [
            (p, "deleted") for p in before.keys() - now.keys()
        ] + [(p, "modified") for p in now.keys() & before.keys() if now[p] != before[p]]  # fmt: skip
        self.listing = now
        if kinds:
            changes_ = [Change(kind=k, path=p) for p, k in sorted(kinds)]  # type: ignore[arg-type]
            burst = f"{next(self.bursts):x}"
            cause = "git" if what in ("checkout", "stash", "reset") else None
            news.append(
                ev.FilesChanged(repo=self.id, burst=burst, part=1, parts=1, changes=changes_, cause=cause)
            )  # fmt: skip
        if not news:
            return
        trigger = self._append(*news)
        self.world.catch_up()
        for recorded in trigger:
            self.looker.note(self.id, recorded.event)
        boundary, last = _KINDS.get(what, "commit"), trigger[-1].position
        if boundary is not None:
            self.looker.turn(self.id, trigger, boundary, last, last)
        self.looker.recheck(self.id, last, trigger, boundary or "burst")
        self.after(boundary)

    def after(self, boundary: str | None) -> None:
        self.world.catch_up()
        for p in self.all():
            if p.state == "raised":
                verifier.verify(self.log, self.home, self.config, p, self.repo.root)
        self.world.catch_up()
        if boundary in SPEAKING:
            self.speaker.offer_all(boundary)

    def restart(self) -> None:
        self.start()
        self.looker.start_over()
        self.looker.recheck(self.id, None, (), "burst")
        self.after(None)

    def all(self) -> list[Proposal]:
        with self.world.reading() as views:
            return list(views.inbox.proposals.values())

    def one(self) -> Proposal:
        (found,) = self.all()
        return found

    def by_id(self, id_: str) -> Proposal:
        self.world.catch_up()
        return next(p for p in self.all() if p.id == id_)

    def told(self) -> int:
        return len(list(self.log.read(topics={"ProposalDelivered"})))

    def git(self, *args: str, what: str = "commit") -> None:
        self.repo.git(*args)
        self.sense(what)

    def write(self, path: str, text: str) -> None:
        self.repo.write(path, text)
        self.sense()

    def commit(self, what: str = "commit") -> None:
        self.repo.git("add", "-A")
        self.repo.git("commit", "-q", "--allow-empty", "-m", "work", *(["--amend"] if what == "amend" else []))
        self.sense(what)

    def rename(self) -> None:
        """A commit that nobody has sensed yet renames what the page names."""
        self.repo.git("mv", "src/pay.py", "src/billing.py")
        self.repo.git("commit", "-q", "-m", "rename")

    def elsewhere(self) -> dict[bytes, bytes]:
        """The rows of the commits that are kept for a turn in whose tree they are."""
        return self.log.view(KEPT)
