"""Rules turns over a real repository: what they cost, and what becomes of what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from kairos.daemon.folded import World
from kairos.daemon.turns import Looker
from kairos.domain import events as ev
from kairos.domain.action import Effects, NoteAction
from kairos.domain.events import Change, CommitChange, Event, Memory, Name
from kairos.domain.proposal import Proposal, proposal_id, stream_of
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Put, Recorded
from kairos.eventlog.views.projection import keep_views
from kairos.memory.claims import MemoryView
from kairos.repo.git import Git
from kairos.repo.objects import Objects
from kairos.settings import Config, Home

REPO = "repo-0123456789ab"


class Counting(Log):
    """A log that counts how often each kept view is read, how many rows of views are, and the bytes that are saved."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.loads: Counter[str] = Counter()
        self.rows = self.bytes = 0

    def kept(self, view: str) -> tuple[bytes | None, int]:
        self.loads[view] += 1
        return super().kept(view)

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
            ev.RepoTrusted(repo=REPO, root=root, dev=1, ino=1, by="user"), ev.BaselineRecorded(repo=REPO, entries=1)
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

    def _turn(self, boundary: str, *events: Event) -> None:
        trigger = self.append(*events)
        self.world.catch_up()
        last = trigger[-1].position
        self.looker.turn(REPO, trigger, boundary, last, last)


@pytest.fixture
def turns(repo: Any, home: Home) -> Iterator[Turns]:
    made = Turns(repo, home)
    yield made
    made.log.close()


def coupling(path: str, other: str) -> ev.MemoryAccepted:
    memory = Memory(
        id=f"m-{path}-{other}", repo=REPO, kind="co-change", subject=path, predicate="changes-with", value=other,
        text="", cites=[1], support=9.0, confidence=0.9, trust="git", valid_from=0,
    )  # fmt: skip
    return ev.MemoryAccepted(memory=memory)


def test_memory_is_loaded_once_a_turn_however_many_files_were_committed(turns: Turns) -> None:
    paths = [f"src/{n}.py" for n in range(20)]
    turns.append(*(coupling(path, "other.py") for path in paths))
    keep_views(turns.log, [MemoryView()])
    turns.log.loads.clear()
    for path in paths:
        turns.repo.write(path, "x = 1\n")
    turns.commit()
    assert turns.log.loads[MemoryView().key] == 1


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
