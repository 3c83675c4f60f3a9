"""What a turn costs beside what waits and what is long settled: git processes, time, and the bytes of a save.

There is no peer: the first number is that of a log on which nothing waits (or nothing was ever settled), the second
that of one with so many proposals; 1 is flat. The turn is the one that an edit of a file starts which no proposal
speaks of: look, raise, and look again at what waits. Processes are counted where Python starts them.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from benches.append import disk
from benches.table import Row, show
from kairos.daemon.folded import World
from kairos.daemon.turns import Looker
from kairos.domain import events as ev
from kairos.domain.action import Effects, NoteAction, digest
from kairos.domain.events import Change, CommitChange, Name
from kairos.domain.proposal import proposal_id, stream_of
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Put, Recorded
from kairos.eventlog.views.repositories import repository_id
from kairos.home import Home
from kairos.repo.git import Git
from kairos.repo.objects import Objects
from kairos.settings import Config

PENDING = (0, 5, 20, 100)
SETTLED = (0, 1_000, 20_000)
EDITS = 15
FILES = 300
CONFLICT = "<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> topic{}\n"
COMMAND = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.invalid", "-c", "commit.gpgSign=false")

_started: list[str] = []


def _count(event: str, args: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        _started.append(str(args[1][0]))


sys.addaudithook(_count)


class Measured(Log):
    """A log that knows how many bytes of views were written to it."""

    bytes = 0

    def append(self, events: Any, *, expected: Any = None, writes: Any = ()) -> list[int]:
        self.bytes += sum(len(w.value) + len(w.key) for w in writes if isinstance(w, Put))
        return super().append(events, expected=expected, writes=writes)


class Watched:
    """A repository with a log, its events recorded as sensing would, and what a daemon keeps of it."""

    def __init__(self, place: Path) -> None:
        self.root = place / "repo"
        self.home = Home(config=place / "home", data=place / "home", run=place / "home" / "run")
        self.home.prepare()
        self.log = Measured(self.home.log)
        self._bursts = count()
        grow(self.root)
        at = self.root.stat()
        self.repo = repository_id(at.st_dev, at.st_ino, str(self.root))
        trusted = ev.RepoTrusted(repo=self.repo, root=str(self.root), dev=at.st_dev, ino=at.st_ino, by="user")
        self._append(trusted, ev.BaselineRecorded(repo=self.repo, entries=FILES))
        self.world = World(self.log)
        self.world.load()
        self.looker = Looker(self.home, Config(), self.log, self.world)

    def git(self, *args: str) -> None:
        subprocess.run([*COMMAND, "-C", str(self.root), *args], check=True, capture_output=True)

    def burst(self, *paths: str, kind: Any = "modified") -> None:
        """Files changed: the turn of a burst."""
        changes = [Change(kind=kind, path=p) for p in paths]
        number = next(self._bursts)
        self._turn("burst", ev.FilesChanged(repo=self.repo, burst=f"{number:x}", part=1, parts=1, changes=changes))

    def commit(self) -> None:
        """The latest commit became known: the turn of a commit."""
        done = Objects(Git(self.root)).latest(1)[0]
        changes = [
            CommitChange(status=s, was=Name(path=was) if was else None, path=path) for path, s, was in done.files
        ]
        self._turn(
            "commit",
            ev.GitMoved(repo=self.repo, head="refs/heads/main", refs=[], what="commit"),
            ev.CommitRecorded(
                repo=self.repo, oid=done.oid, parents=list(done.parents), author="Ada", at_s=0, subject="work",
                changes=changes,
            ),
        )  # fmt: skip

    def edit(self) -> tuple[int, float]:
        """(git processes, milliseconds) of the turn after an edit that concerns nothing else."""
        path = f"pkg/part{next(self._bursts) % 10}/module_7.py"
        with (self.root / path).open("a") as file:
            file.write("# a word\n")
        before, begun = len(_started), time.perf_counter()
        self.burst(path)
        return _started[before:].count("git"), (time.perf_counter() - begun) * 1e3

    def save(self) -> tuple[int, float]:
        """(bytes, milliseconds) of keeping the views as they are now."""
        self._append(ev.AttentionHeld(repo=self.repo, subject="turn", why="paused", rule="pause@1"))
        self.world.catch_up()
        self.log.bytes, begun = 0, time.perf_counter()
        self.world.save(self.log)
        return self.log.bytes, (time.perf_counter() - begun) * 1e3

    def settle(self, number: int) -> None:
        """So many proposals that were raised and expired long ago."""
        for first in range(0, number, 1_000):
            self._append_to(settled(self.repo, n) for n in range(first, min(number, first + 1_000)))
        self.world.load()
        self.world.save(self.log)
        self.world.load()

    def _turn(self, boundary: str, *events: ev.Event) -> None:
        trigger = self._append(*events)
        self.world.catch_up()
        last = trigger[-1].position
        for recorded in trigger:
            self.looker.note(self.repo, recorded.event)
        self.looker.turn(self.repo, trigger, boundary, last, last)
        self.looker.recheck(self.repo, last)

    def _append(self, *events: ev.Event) -> list[Recorded]:
        positions = self.log.append([NewEvent(self.repo, e) for e in events])
        return [self.log.at(p) for p in positions]

    def _append_to(self, pairs: Iterator[list[NewEvent]]) -> None:
        self.log.append([new for pair in pairs for new in pair])


def grow(root: Path, files: int = FILES) -> None:
    """A repository of packages with so many modules."""
    for number in range(files):
        folder = root / "pkg" / f"part{number % 10}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"module_{number // 10}.py").write_text(f"def work():\n    return {number}\n")
    (root / "docs").mkdir()
    (root / "README.md").write_text("# Demo\n")
    subprocess.run(["git", "init", "-q", "-b", "main", root], check=True)
    subprocess.run([*COMMAND, "-C", root, "add", "-A"], check=True)
    subprocess.run([*COMMAND, "-C", root, "commit", "-q", "-m", "begin"], check=True)


def raise_some(watched: Watched, number: int) -> None:
    """So many proposals of each kind in turn, every one from an event of its own."""
    root = watched.root
    for n in range(number):
        match n % 4:
            case 0:  # a page that names a renamed file
                (root / f"docs/old{n}.md").write_text(f"# Page {n}\n" * 5)
                (root / f"docs/index{n}.md").write_text(f"[page](old{n}.md)\n")
                watched.git("add", "-A", "docs")
                watched.git("commit", "-q", "-m", "page")
                watched.git("mv", f"docs/old{n}.md", f"docs/new{n}.md")
                watched.git("commit", "-q", "-m", "rename")
                watched.commit()
            case 1:  # a merge conflict that was committed
                (root / f"docs/merged{n}.txt").write_text(CONFLICT.format(n))
                watched.git("add", f"docs/merged{n}.txt")
                watched.git("commit", "-q", "-m", "merge")
                watched.commit()
            case 2:  # an untracked credential
                (root / f"key{n}.env").write_text(f"AWS=AKIAQ3EGRT5HZX7{n:05}\n")
                watched.burst(f"key{n}.env", kind="created")
            case _:  # a large untracked file
                with (root / f"large{n}.bin").open("wb") as file:
                    file.truncate(11 << 20)
                watched.burst(f"large{n}.bin", kind="created")


def settled(repo: str, number: int) -> list[NewEvent]:
    """A proposal that was raised and expired."""
    action, id_ = NoteAction(repo=repo, text=f"page {number} is old"), proposal_id(f"{repo}{number}")
    raised = ev.ProposalRaised(
        id=id_, repo=repo, digest=digest(action, Effects(), "0"), detector="stale-reference", detector_version=1,
        engine="rules", turn="turn-x", key=f"stale-reference:{number:024x}", title=f"Update page {number}",
        claim=f"page {number} is old", risk="low", action=action, effects=Effects(), evidence=[1], expires_at=1,
        policy_version="0", verdict="ask", boundary="commit",
    )  # fmt: skip
    return [
        NewEvent(stream_of(id_), raised, None, "system"),
        NewEvent(stream_of(id_), ev.ProposalExpired(id=id_), -1, "system"),
    ]


def pending_rows() -> Iterator[Row]:
    """An edit with so many proposals pending; measured in turns, so that a busy moment of the machine meets all."""
    places = [disk() for _ in PENDING]
    try:
        all_watched = [Watched(place) for place in places]
        for watched, number in zip(all_watched, PENDING, strict=True):
            raise_some(watched, number)
            with watched.world.reading() as views:
                waiting = len(views.inbox.pending())
            assert waiting == number, (waiting, number)
        found = [[watched.edit() for watched in all_watched] for _ in range(EDITS + 1)][1:]
        for watched in all_watched:
            watched.log.close()
    finally:
        for place in places:
            shutil.rmtree(place)
    medians = [[statistics.median(edit[n] for edit in edits) for n in (0, 1)] for edits in zip(*found, strict=True)]
    for number, (processes, ms) in zip(PENDING, medians, strict=True):
        what = f"an edit with {number} proposals pending"
        yield what, "git starts", medians[0][0], processes, medians[0][0] / processes
        yield what, "ms", medians[0][1], ms, medians[0][1] / ms


def settled_rows(number: int, none: tuple[float, float, float] | None) -> tuple[tuple[float, float, float], list[Row]]:
    place = disk()
    try:
        watched = Watched(place)
        watched.settle(number)
        turn = statistics.median(watched.edit()[1] for _ in range(EDITS))
        saves = [watched.save() for _ in range(EDITS)]
        size, ms = statistics.median(s[0] for s in saves), statistics.median(s[1] for s in saves)
        watched.log.close()
    finally:
        shutil.rmtree(place)
    base = none or (turn, size, ms)
    after = f"with {number:,} proposals settled".replace(",", " ")
    return (turn, size, ms), [
        (f"an edit {after}", "ms", base[0], turn, base[0] / turn),
        (f"a save of the views {after}", "bytes", base[1], size, base[1] / size),
        (f"a save of the views {after}", "ms", base[2], ms, base[2] / ms),
    ]


def rows() -> Iterator[Row]:
    """(what, unit, with none, with so many, none ÷ so many); at least 0.67 (within 1.5 ×) is the goal, 1 is flat."""
    yield from pending_rows()
    none: tuple[float, float, float] | None = None
    for number in SETTLED:
        measured, found = settled_rows(number, none)
        none = none or measured
        yield from found


if __name__ == "__main__":
    show(rows())
