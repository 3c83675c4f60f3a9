"""What a mute, a pause, a cool-down or a rejection for good held back comes when that ends, once; nothing is lost."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from typing import Any

import pytest

from kairos.clock import now_us
from kairos.daemon.folded import World
from kairos.daemon.reactor import Reactor
from kairos.domain import controls
from kairos.domain.events import (
    AttentionHeld,
    Change,
    CommitChange,
    CommitRecorded,
    DecisionUndone,
    DetectorMuted,
    DetectorUnmuted,
    Event,
    FilesChanged,
    GitMoved,
    Paused,
    ProposalRaised,
    ProposalRejected,
    Resumed,
)
from kairos.domain.names import Name
from kairos.domain.proposal import Proposal, stream_of
from kairos.eventlog.leases import Everything
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.controls import ControlsView
from kairos.eventlog.views.inbox import InboxView
from kairos.home import Home
from kairos.schedule.scheduler import Scheduler

LIVES = int(os.environ.get("KAIROS_REAL_LIVES", "4"))
SECRET = "secret"


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


@pytest.fixture
def muting(others: Any, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Muting]:
    monkeypatch.setattr("kairos.daemon.reactor.LULL_S", 0.0)
    made = Muting(others, home)
    yield made
    made.own.close()


def unmute(muting: Muting) -> None:
    muting.say(DetectorUnmuted(detector=SECRET))


def take_back(muting: Muting) -> None:
    muting.undo()


@pytest.mark.parametrize("end", [unmute, take_back])
def test_what_a_mute_held_is_raised_once_when_it_ends(muting: Muting, end: Callable[[Muting], None]) -> None:
    muting.say(DetectorMuted(detector=SECRET))
    path = muting.write()
    gone = muting.write()
    muting.settle()
    assert [e.rule for e in muting.told("AttentionHeld")] == ["mute@1"] * 2 and muting.pending() == []
    muting.remove(gone)
    end(muting)
    muting.settle()
    assert muting.named() == {path}
    (started,) = [e for e in muting.told("TurnStarted") if e.again]
    assert started.boundary == "again" and len(started.again) == 2
    muting.say(DetectorMuted(detector=SECRET))
    unmute(muting)
    muting.settle()
    assert len(muting.told("ProposalRaised")) == 1


def test_the_chain_of_what_was_held_names_the_hold_and_the_change(muting: Muting, log: Log) -> None:
    muting.say(DetectorMuted(detector=SECRET))
    muting.write()
    muting.settle()
    unmute(muting)
    muting.settle()
    at = next(r for r in log.read(topics={"ProposalRaised"}))
    assert isinstance(at.event, ProposalRaised) and at.event.boundary == "burst"
    topics = []
    while at.caused_by is not None:
        at = log.at(at.caused_by)
        topics.append(at.topic)
    assert topics[:3] == ["TurnStarted", "AttentionDue", "AttentionHeld"] and topics[-1] == "FilesChanged"


def test_what_comes_back_under_another_mute_is_not_lost(muting: Muting) -> None:
    """Held, gone before the mute ended, and there again in the next one."""
    for _ in range(2):
        muting.say(DetectorMuted(detector=SECRET))
        muting.count = 0
        path = muting.write()
        muting.settle()
        muting.remove(path)
        unmute(muting)
        muting.settle()
    assert muting.pending() == [] and [e.rule for e in muting.told("AttentionHeld")] == ["mute@1"] * 2


def test_a_mute_of_one_repository_holds_though_the_general_one_ended(muting: Muting) -> None:
    muting.say(DetectorMuted(detector=SECRET))
    muting.say(DetectorMuted(detector=SECRET, repo=muting.id))
    path = muting.write()
    muting.settle()
    unmute(muting)
    muting.settle()
    assert muting.pending() == []
    muting.say(DetectorUnmuted(detector=SECRET, repo=muting.id))
    muting.settle()
    assert muting.named() == {path}


def test_an_unmute_in_a_pause_waits_for_its_end(muting: Muting) -> None:
    muting.say(DetectorMuted(detector=SECRET))
    path = muting.write()
    muting.settle()
    muting.say(Paused())
    unmute(muting)
    muting.settle()
    muting.own.close()
    muting.start()  # and no event is left that says so
    muting.settle()
    assert muting.pending() == []
    muting.say(Resumed())
    muting.settle()
    assert muting.named() == {path}


@pytest.mark.parametrize("appends", range(6))
def test_a_daemon_that_dies_around_the_look_does_it_once(muting: Muting, appends: int) -> None:
    muting.say(DetectorMuted(detector=SECRET))
    paths = {muting.write(), muting.write()}
    muting.settle()
    unmute(muting)
    muting.own.left = appends
    muting.settle()
    muting.own.close()
    muting.start()
    muting.settle()
    assert muting.named() == paths and len(muting.told("ProposalRaised")) == 2
    assert len([e for e in muting.told("TurnStarted") if e.again]) == 1


def test_a_hold_of_an_earlier_version_is_looked_at_too(muting: Muting) -> None:
    """It says neither what its finding was found in nor at which boundary."""
    path = muting.write()
    muting.say(DetectorMuted(detector=SECRET))
    muting.settle()
    held = next(r for r in muting.log.read(topics={"AttentionHeld"}))
    assert isinstance(held.event, AttentionHeld) and held.event.evidence and held.event.boundary == "burst"
    bare = AttentionHeld(
        repo=muting.id, subject=held.event.subject, why=held.event.why, rule="mute@1", detector=SECRET
    )  # fmt: skip
    from kairos.daemon import again
    from kairos.detectors.scene import Facts
    from kairos.repo.git import Git

    at = muting.others.say(bare, muting.id, held.caused_by, origin="system")
    holds = again.holds_at(muting.log, [at])
    salt = muting.reactor._looker._salt
    found, problems = again.look_again(muting.log, muting.others.repository, holds, salt, Facts(Git(muting.root)))
    assert problems == [] and [f.title.split(" in ")[1].split(",")[0] for f in found["burst"]] == [path]


def test_what_a_repository_that_cannot_be_read_hides_waits_for_its_next_turn(muting: Muting, repo: Any) -> None:
    muting.say(DetectorMuted(detector=SECRET))
    path = muting.write()
    muting.settle()
    aside = muting.root.with_name("aside")
    muting.root.rename(aside)
    unmute(muting)
    muting.settle()
    assert muting.pending() == [] and not any(e.again for e in muting.told("TurnStarted"))
    aside.rename(muting.root)
    (muting.root / "other.txt").write_text("x\n")
    muting.changed("other.txt", "created")
    muting.settle()
    assert muting.named() == {path}


def decided(muting: Muting, event: ProposalRejected) -> int:
    return int(muting.others.say(event, stream_of(event.id), origin="user"))


def test_what_a_rejection_for_good_held_is_raised_when_it_is_taken_back(muting: Muting) -> None:
    first = muting.write()
    muting.settle()
    (known,) = muting.pending()
    at = decided(muting, ProposalRejected(id=known.id, reason="wrong", never=True))
    (muting.root / first).write_text("AWS=AKIAQ3EGRT5HZX7WLMNP\n")
    muting.changed(first, "modified")
    muting.settle()
    held = [e.rule for e in muting.told("AttentionHeld")]
    assert held == ["never@1"], held
    head = muting.log.head()
    muting.own.close()
    muting.start()
    muting.settle()
    assert muting.log.head() == head, "nothing is written of a hold that holds"
    muting.others.say(DecisionUndone(what="reject", of=at, id=known.id), stream_of(known.id), origin="user")
    muting.settle()
    assert len(muting.told("ProposalRaised")) == 2 and first in muting.named()


def test_what_a_cool_down_held_is_raised_when_it_is_over(muting: Muting, clock: Callable[[float], None]) -> None:
    clock(-100_000)
    muting.write()
    muting.settle()
    (known,) = muting.pending()
    decided(muting, ProposalRejected(id=known.id, reason="wrong"))
    path = muting.write()
    muting.settle()
    (held,) = [e for e in muting.told("AttentionHeld") if e.rule == "cool-down@1"]
    assert held.until is not None and muting.reactor._scheduler._clock.get_job("hold") is not None
    clock(0)
    muting.reactor.tick()
    muting.settle()
    assert muting.named() == {path}


def test_renames_that_were_held_apart_are_raised_apart(muting: Muting, repo: Any) -> None:
    """One card over both would be news of twice as much as either."""
    for name in ("a", "b"):
        repo.write(f"src/{name}.py", f"def {name}():\n    return '{name}' * 3\n")
        repo.write(f"{name}.md", f"see [{name}](src/{name}.py)\n")
    repo.commit()
    muting.say(DetectorMuted(detector="stale-reference"))
    for name in ("a", "b"):
        old, new = f"src/{name}.py", f"src/new_{name}.py"
        repo.git("mv", old, new)
        muting.commit(repo, [CommitChange(path=new, status="R100", was=Name(path=old))])
        muting.settle()
    muting.say(DetectorUnmuted(detector="stale-reference"))
    muting.settle()
    assert [len(p.raised.basis.commits) for p in muting.pending() if p.raised.basis] == [1, 1]


def step(muting: Muting, git: Any, pick: random.Random, there: list[str]) -> None:
    """One random thing that a person does."""
    here = pick.choice(["", muting.id])
    match pick.choice(["write"] * 3 + ["remove", "commit", "mute", "mute", "unmute", "undo", "pause", "resume", "die"]):
        case "write":
            there.append(muting.write())
        case "remove" if there:
            muting.remove(there.pop(pick.randrange(len(there))))
        case "commit":
            muting.commit(git)
            muting.settle() if pick.random() < 0.5 else None
        case "mute":
            muting.say(DetectorMuted(detector=SECRET, repo=here))
        case "unmute":
            muting.say(DetectorUnmuted(detector=SECRET, repo=here))
        case "undo":
            muting.undo()
        case "pause":
            muting.say(Paused(repo=here))
        case "resume":
            muting.say(Resumed(repo=here))
        case "die":
            muting.own.left = pick.randrange(4)
        case _:
            pass


@pytest.mark.parametrize("seed", range(LIVES))
def test_in_a_random_life_what_holds_and_is_not_muted_is_raised_exactly_once(
    muting: Muting, repo: Any, seed: int
) -> None:
    pick, there = random.Random(seed), list[str]()
    for _ in range(40):
        step(muting, repo, pick, there)
        if pick.random() < 0.6:
            muting.settle()
    muting.settle()
    with muting.world.reading() as views:
        silent = views.attention.is_muted(SECRET, muting.id) or views.attention.is_paused(now_us(), muting.id)
    assert silent or set(there) <= muting.named()
    for repo_id in ("", muting.id):
        muting.say(Resumed(repo=repo_id))
        muting.say(DetectorUnmuted(detector=SECRET, repo=repo_id))
    muting.settle()
    assert set(there) <= muting.named()
    keys = Counter(e.key for e in muting.told("ProposalRaised"))
    assert set(keys.values()) == {1}, keys
