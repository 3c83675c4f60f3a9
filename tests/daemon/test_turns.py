"""Rules turns over a real repository: what they cost, and what becomes of what waits."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from kairos.daemon.folded import World
from kairos.daemon.turns import Looker
from kairos.domain import events as ev
from kairos.domain.action import Effects, NoteAction
from kairos.domain.events import Change, CommitChange, Event, Name
from kairos.domain.proposal import Proposal, proposal_id, stream_of
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Put, Recorded
from kairos.home import Home
from kairos.repo.git import Git
from kairos.repo.objects import Objects
from kairos.settings import Config

REPO = "repo-0123456789ab"


_started: list[str] = []


def _start(event: str, args: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        _started.append(str(args[1][0]))


sys.addaudithook(_start)


class Counting(Log):
    """A log that counts how many rows of views are read, and the bytes that are saved."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = self.bytes = 0

    def view(self, view: str) -> dict[bytes, bytes]:
        found = super().view(view)
        self.rows += len(found)
        return found

    def view_row(self, view: str, key: bytes) -> bytes | None:
        self.rows += 1
        return super().view_row(view, key)

    def append(self, events: Any, *, expected: Any = None, writes: Any = ()) -> list[int]:
        self.bytes += sum(len(w.key) + len(w.value) for w in writes if isinstance(w, Put))
        return super().append(events, expected=expected, writes=writes)


class Turns:
    """A repository whose events are recorded as sensing would record them, and the turns that they start."""

    def __init__(self, repo: Any, home: Home) -> None:
        self.repo = repo
        self.log = Counting(home.log)
        self._bursts = count()
        root = str(repo.root)
        self.append(
            ev.RepoTrusted(repo=REPO, root=root, dev=1, ino=1, by="user"),
            ev.BaselineRecorded(repo=REPO, entries=1),
        )
        self.world = World(self.log)
        self.world.load()
        self.looker = Looker(home, Config(), self.log, self.world)

    def append(self, *events: Event) -> list[Recorded]:
        return [self.log.at(p) for p in self.log.append([NewEvent(REPO, e) for e in events])]

    def commit(self) -> None:
        """Commits everything; the turn of that commit."""
        self.repo.commit()
        done = Objects(Git(self.repo.root)).latest(1)[0]
        changes = [CommitChange(path=p, status=s, was=Name(path=was) if was else None) for p, s, was in done.files]
        self._turn(
            "commit",
            ev.GitMoved(repo=REPO, head="refs/heads/main", refs=[], what="commit"),
            ev.CommitRecorded(
                repo=REPO, oid=done.oid, parents=list(done.parents), author="Ada", at_s=0, subject="s", changes=changes
            ),
        )

    def pending(self) -> list[Proposal]:
        with self.world.reading() as views:
            return views.inbox.pending()

    def burst(self, *paths: str, kind: Any = "modified") -> None:
        """The turn of a burst over these paths."""
        changes = [Change(kind=kind, path=p) for p in paths]
        number = next(self._bursts)
        self._turn("burst", ev.FilesChanged(repo=REPO, burst=f"{number:x}", part=1, parts=1, changes=changes))

    def after(self, *paths: str, kind: Any = "modified") -> None:
        """A burst, and the look at what waits."""
        self.burst(*paths, kind=kind)
        self.looker.recheck(REPO, self.log.head())
        self.world.catch_up()

    def _turn(self, boundary: str, *events: Event) -> None:
        trigger = self.append(*events)
        self.world.catch_up()
        last = trigger[-1].position
        for recorded in trigger:
            self.looker.note(REPO, recorded.event)
        self.looker.turn(REPO, trigger, boundary, last, last)


@pytest.fixture
def turns(repo: Any, home: Home) -> Iterator[Turns]:
    made = Turns(repo, home)
    yield made
    made.log.close()


def settle(turns: Turns, first: int, count: int) -> None:
    """So many proposals that were raised and rejected long ago."""
    new = []
    for n in range(first, first + count):
        id_ = proposal_id(f"{n}")
        one = ev.ProposalRaised(
            id=id_, repo=REPO, digest="0", detector="secret", detector_version=1, engine="rules", turn="t",
            key=f"secret:{n}", title="t", claim="c", risk="low", action=NoteAction(repo=REPO, text="n"),
            effects=Effects(), evidence=[1], expires_at=1, policy_version="0",
        )  # fmt: skip
        new += [NewEvent(stream_of(id_), one), NewEvent(stream_of(id_), ev.ProposalExpired(id=id_))]
    turns.log.append(new)
    turns.world.load()
    turns.world.save(turns.log)
    turns.world.load()


def test_a_turn_and_a_save_take_as_much_with_many_settled_proposals_as_with_few(turns: Turns) -> None:
    seen = []
    for number, many in ((1, 20), (2, 2_000)):
        settle(turns, many, many)
        path = f"key{number}.env"
        turns.repo.write(path, "AWS=AKIAQ3EGRT5HZX7WLMN" + str(number))
        turns.log.rows = turns.log.bytes = 0
        turns.burst(path, kind="created")
        turns.looker.recheck(REPO, turns.log.head())
        assert turns.pending()[-1].raised.title.endswith("untracked and not ignored")
        turns.world.save(turns.log)
        seen.append((turns.log.rows, turns.log.bytes))
    (rows, saved), (more_rows, more_saved) = seen
    assert more_rows <= rows + 2 and more_saved <= saved + 1_000


CONFLICT = "<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> topic{}\n"


def wait_for(turns: Turns, count: int) -> None:
    """So many proposals of each of three kinds, every one from a turn of its own."""
    for n in range(count):
        turns.repo.write(f"old{n}.md", f"# {n}\n" * 5)
        turns.repo.write(f"index{n}.md", f"[page](old{n}.md)\n")
        turns.repo.commit()
        turns.repo.git("mv", f"old{n}.md", f"new{n}.md")
        turns.commit()
        turns.repo.write(f"merged{n}.txt", CONFLICT.format(n))
        turns.commit()
    for n in range(count):
        turns.repo.write(f"key{n}.env", f"AWS=AKIAQ3EGRT5HZX7{n:05}\n")
        turns.burst(f"key{n}.env", kind="created")
    assert len(turns.pending()) == 3 * count


def test_an_edit_that_concerns_nothing_starts_as_much_git_with_many_pending_as_with_none(turns: Turns) -> None:
    seen = []
    for waiting in (0, 4):
        wait_for(turns, waiting)
        turns.looker.recheck(REPO, turns.log.head())
        turns.repo.write("README.md", f"# Demo {waiting}\n")
        started = len(_started)
        turns.burst("README.md")
        turns.looker.recheck(REPO, turns.log.head())
        seen.append(_started[started:].count("git"))
    assert seen[0] == seen[1] > 0


def titles(turns: Turns) -> set[str]:
    return {p.raised.title for p in turns.pending()}


def test_what_is_gone_closes_itself_and_nothing_else_does(turns: Turns) -> None:
    wait_for(turns, 2)
    turns.looker.recheck(REPO, turns.log.head())
    before = titles(turns)
    turns.repo.write("merged0.txt", "b\n")
    turns.after("merged0.txt")
    assert before - titles(turns) == {"Conflict markers left in merged0.txt"}
    (turns.repo.root / "key0.env").unlink()
    turns.after("key0.env", kind="deleted")
    assert not any("key0.env" in title for title in titles(turns)) and any("key1.env" in t for t in titles(turns))
    turns.repo.write("old0.md", "# back\n")
    turns.after("old0.md", kind="created")
    assert [t for t in titles(turns) if "renamed" in t] == ["Update 1 reference to renamed old1.md"]


def test_what_no_event_tells_of_is_noticed_by_the_index_and_the_rules(turns: Turns) -> None:
    turns.repo.write("one.env", "AWS=AKIAQ3EGRT5HZX7WLMNP\n")
    turns.burst("one.env", kind="created")
    turns.looker.recheck(REPO, turns.log.head())
    assert len(turns.pending()) == 1
    (turns.repo.root / ".git/info/exclude").write_text("one.env\n")
    turns.after("README.md")
    assert turns.pending() == []
    turns.repo.write("two.txt", "AWS=AKIAQ3EGRT5HZX7WLMNQ\n")
    turns.repo.git("add", "two.txt")
    turns.after("README.md")
    assert [p.raised.title for p in turns.pending()] == ["AWS key in two.txt, staged"]
    turns.repo.git("rm", "-q", "--cached", "-f", "two.txt")
    turns.after("README.md")
    assert [p.raised.title for p in turns.pending()] == ["AWS key in two.txt, untracked and not ignored"]
    turns.repo.git("add", "two.txt")
    turns.after("README.md")
    turns.repo.git("rm", "-q", "-f", "two.txt")
    turns.after("README.md")
    assert [p.raised.title for p in turns.pending()] == []


def test_after_a_start_everything_that_waits_is_looked_at(turns: Turns) -> None:
    wait_for(turns, 1)
    turns.looker.recheck(REPO, turns.log.head())
    turns.repo.write("merged0.txt", "b\n")  # while nobody noted it
    turns.after("README.md")
    assert "Conflict markers left in merged0.txt" in titles(turns)
    turns.looker.start_over()
    turns.after("README.md")
    assert "Conflict markers left in merged0.txt" not in titles(turns)
