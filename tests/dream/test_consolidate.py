from __future__ import annotations

import random
from collections import Counter
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from dream.admission import admit
from dream.consolidate import consolidate
from dream.extract import extract, lost
from dream.gather import Material, Rename, Repo
from dream.index import MAX_BYTES, MAX_LINES, NAME, files
from kairos.domain.events import Event, Memory, MemoryAccepted, MemoryInvalidated, MemorySuperseded, Ref
from kairos.domain.memory import LIMITS, living_paths, matters, slot_of
from kairos.eventlog.views.inbox import Inbox
from kairos.memory.claims import Claims, fold
from kairos.memory.counts import Commit
from kairos.memory.history import Histories

DAY_S = 86_400
ID = "repo-1"


def said(
    subject: str = "a.py", value: str = "b.py", confidence: float = 0.8, support: float = 4, **more: object
) -> Memory:
    refs: Any = [Ref(kind="path", name=p, checked="c") for p in (subject, value)]
    about: dict[str, Any] = {
        "kind": "co-change",
        "predicate": "changes-with",
        "trust": "git",
        "cites": [1, 2],
        "refs": refs,
        **more,
    }
    return Memory(
        id="", repo=ID, subject=subject, value=value, text="", support=support, confidence=confidence, **about
    )


def fold_all(claims: Claims, changes: list[Event], position: int) -> int:
    for event in changes:
        position += 1
        fold(claims, event, position)
    return position


def remembered(*memories: Memory) -> Claims:
    claims = Claims()
    fold_all(claims, consolidate(claims, memories, {ID: Repo(ID, "r")}, 0), 10)
    return claims


def topics(changes: list[Event]) -> list[str]:
    return [type(change).__name__ for change in changes]


def test_news_that_does_not_matter_changes_nothing() -> None:
    claims = remembered(said(confidence=0.80))
    assert consolidate(claims, [said(confidence=0.9, support=5)], {ID: Repo(ID, "r")}, 0) == []


def test_a_clearly_different_confidence_supersedes() -> None:
    claims = remembered(said(confidence=0.80))
    changes = consolidate(claims, [said(confidence=0.6)], {ID: Repo(ID, "r")}, 0)
    assert topics(changes) == ["MemorySuperseded", "MemoryAccepted"]


def test_one_subject_has_one_value_of_a_functional_predicate() -> None:
    def check(value: str) -> Memory:
        return said("check", value, kind="command", predicate="passes", trust="test", refs=[])

    claims = remembered(check("pytest"))
    fold_all(claims, consolidate(claims, [check("make test")], {ID: Repo(ID, "r")}, 0), 20)
    assert [c.memory.value for c in claims.open()] == ["make test"]
    assert sorted(c.why for c in claims.by_id.values()) == ["", "another value"]


def test_what_rests_on_a_closed_memory_falls_with_it() -> None:
    claims = remembered(said())
    [base] = claims.open()
    above = said("x", "y", refs=[], depends_on=[base.memory.id])
    fold_all(claims, consolidate(claims, [above], {ID: Repo(ID, "r")}, 0), 20)
    gone = Repo(ID, "r", alive=frozenset({"a.py"}))
    changes = consolidate(claims, [], {ID: gone}, 0)
    assert [c.why for c in changes if isinstance(c, MemoryInvalidated)] == ["dead_reference", "cascade"]


def test_nothing_is_called_dead_where_nobody_can_look() -> None:
    claims = remembered(said())
    assert consolidate(claims, [], {ID: Repo(ID, "r", alive=None)}, 0) == []
    assert consolidate(claims, [], {}, 0) == []


def test_a_rename_onto_another_subject_merges_what_both_said() -> None:
    claims = remembered(said("a.py"), said("c.py"))
    moved = Repo(ID, "r", moves=[Rename("c.py", "a.py", 5, 0)])
    fold_all(claims, consolidate(claims, [], {ID: moved}, 0), 20)
    assert [(c.memory.subject, c.memory.value) for c in claims.open()] == [("a.py", "b.py")]
    assert Counter(c.why for c in claims.by_id.values())["merged"] == 1


def test_what_returns_gets_an_id_of_its_own() -> None:
    claims = remembered(said())
    position = fold_all(claims, consolidate(claims, [], {ID: Repo(ID, "r", alive=frozenset())}, 0), 20)
    fold_all(claims, consolidate(claims, [said()], {ID: Repo(ID, "r")}, 0), position)
    assert len(claims.by_id) == 2 and len(list(claims.open())) == 1


def test_a_persons_memory_is_not_rewritten_and_a_pinned_one_not_closed() -> None:
    claims = remembered(said(trust="user"), said("p.py", "q.py", pinned=True))
    repo = Repo(ID, "r", alive=frozenset({"a.py", "b.py"}))
    assert consolidate(claims, [said(confidence=0.1)], {ID: repo}, 0) == []


def test_beyond_the_limit_the_weakest_gives_way_once_by_an_event() -> None:
    limit = LIMITS["command"]
    known = [said(f"s{i:03}", "v", support=10 + i, kind="command", predicate="p", refs=[]) for i in range(limit)]
    claims = remembered(*known)
    strong = said("new", "v", support=500, kind="command", predicate="p", refs=[])
    weak = said("weak", "v", support=1, kind="command", predicate="p", refs=[])
    changes = admit(claims, [], [weak, strong], 0)
    assert topics(changes) == ["MemoryInvalidated", "MemoryAccepted"]
    assert isinstance(changes[0], MemoryInvalidated) and claims.by_id[changes[0].id].memory.subject == "s000"
    fold_all(claims, changes, 100)
    assert len(list(claims.open())) == limit
    assert admit(claims, [], [weak, known[0]], 0) == []


class World:
    """A repository that lives without a disk: files, commits, renames and deletions by a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.claims, self.histories = Claims(), Histories()
        self.alive = {f"src/{i}.py" for i in range(30)}
        self.position, self.day, self.made = 0, 0, 30
        self.commits: set[int] = set()
        self.accepted: set[str] = set()

    def night(self, commits: int) -> list[Event]:
        self.day += 1
        after, repo = self.position, Repo(ID, "demo", head=f"{self.day:040x}")
        for _ in range(commits):
            self._commit(repo)
        repo.alive = frozenset(self.alive)
        at = self.day * DAY_S * 1_000_000
        gathered = Material(after, self.position, at, commits, {ID: repo}, self.histories, Inbox(), [], [])
        changes = consolidate(self.claims, extract(gathered, self.claims), {ID: repo}, at, lost(gathered, self.claims))
        self.position = fold_all(self.claims, changes, self.position)
        self.accepted |= {c.memory.id for c in changes if isinstance(c, MemoryAccepted)}
        return changes

    def _commit(self, repo: Repo) -> None:
        self.position += 1
        self.commits.add(self.position)
        at_s = self.day * DAY_S
        start = self.rng.randrange(30)
        near = sorted(self.alive)[start : start + self.rng.randint(1, 3)]
        removed, renames = list[str](), dict[str, str]()
        kind = self.rng.random()
        if near and kind < 0.06:
            removed = [near.pop()]
        elif near and kind < 0.14:
            old, new = near.pop(), f"src/{self.made}.py"
            self.made += 1
            renames = {new: old}
            near.append(new)
            repo.moves.append(Rename(old, new, self.position, at_s * 1_000_000))
        elif kind < 0.22:
            near.append(f"src/{self.made}.py")
            self.made += 1
        self.alive = (self.alive | set(near)) - set(removed) - set(renames.values())
        commit = Commit(at_s=at_s, position=self.position, paths=near, removed=removed, renames=renames)
        self.histories.of(ID).learn(commit)

    def check(self) -> None:
        slots = Counter(slot_of(c.memory) for c in self.claims.open())
        assert max(slots.values(), default=1) == 1
        assert set(self.claims.by_id) == self.accepted
        for claim in self.claims.by_id.values():
            assert claim.memory.cites and set(claim.memory.cites) <= self.commits
            if claim.is_open:
                assert set(living_paths(claim.memory)) <= self.alive
            else:
                assert claim.why in ("dead_reference", "contradicted", "merged", "another value", "expired") or (
                    claim.why.startswith("confidence")
                )


def test_in_a_year_of_nights_no_memory_is_lost_and_the_index_keeps_its_limits() -> None:
    world = World(20)
    churn = 0
    for night in range(365):
        changes = world.night(world.rng.choice((0, 0, 2, 5)))
        churn += len(changes)
        world.check()
        if night % 30 == 0:
            index = files(world.claims, {ID: "demo"}, world.day * DAY_S * 1_000_000)[NAME]
            assert len(index) <= MAX_BYTES and index.count(b"\n") <= MAX_LINES
    held = list(world.claims.open())
    learner = world.histories.of(ID)
    strong = [
        (p, e) for p, e in learner.couples(3) if e.confidence >= 0.5 and e.path in world.alive and p in world.alive
    ]
    known = {(c.memory.subject, c.memory.value) for c in held}
    assert strong and all((p, e.path) in known for p, e in strong)
    assert churn < 20 * 365


@given(st.integers(0, 10**6), st.lists(st.integers(0, 6), max_size=25))
@settings(max_examples=40, deadline=None)
def test_every_history_keeps_the_guarantees(seed: int, nights: list[int]) -> None:
    world, again = World(seed), World(seed)
    for commits in nights:
        assert msgspec.json.encode(world.night(commits)) == msgspec.json.encode(again.night(commits))
        world.check()
    assert files(world.claims, {ID: "demo"}, 0) == files(again.claims, {ID: "demo"}, 0)
    assert world.night(0) == []


def test_superseding_is_told_before_its_successor() -> None:
    changes = consolidate(remembered(said()), [said(confidence=0.2)], {ID: Repo(ID, "r")}, 0)
    assert isinstance(changes[0], MemorySuperseded) and isinstance(changes[1], MemoryAccepted)
    assert changes[0].by == changes[1].memory.id
    assert matters(said(), said(value="c.py")) and not matters(said(), said())
