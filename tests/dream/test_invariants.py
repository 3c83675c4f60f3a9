"""Before memory is published: what must hold of it, whatever the extractors did."""

from __future__ import annotations

from typing import Any

import pytest

from dream.gather import Repo
from dream.index import MAX_BYTES, MAX_LINES, NAME
from dream.invariants import problems
from kairos.domain.events import Event, Memory, MemoryAccepted, MemorySuperseded, Paused, Ref
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.memory.claims import Claims, fold

REPO = Repo("repo-1", "demo", alive=frozenset({"a.py"}))


def said(**fields: Any) -> Memory:
    given: dict[str, Any] = {
        "id": "k", "repo": "repo-1", "kind": "rename", "subject": "old.py", "predicate": "is-now", "value": "a.py",
        "text": "fine", "cites": [1], "support": 1, "trust": "git",
        "refs": [Ref(kind="path", name="a.py", checked="c")], **fields,
    }  # fmt: skip
    return Memory(**given)


@pytest.fixture
def log(log: Log) -> Log:
    """Three events, the memories rest on the first."""
    log.append([NewEvent("s", Paused()) for _ in range(3)])
    return log


def wrong(log: Log, *changes: Event, index: bytes = b"# Memory\n", upto: int = 2) -> list[str]:
    after = Claims()
    for position, change in enumerate(changes, 10):
        fold(after, change, position)
    return problems(log, after, changes, {NAME: index}, {REPO.id: REPO}, upto)


def test_a_memory_that_cites_lives_and_is_short_may_be_published(log: Log) -> None:
    assert wrong(log, MemoryAccepted(memory=said())) == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"cites": []}, "cites events that do not exist"), ({"cites": [0]}, "cites events that do not exist"),
        ({"cites": [1, 3]}, "cites events that do not exist"), ({"cites": [99]}, "cites events that do not exist"),
        ({"cites": [1] * 9}, "cites events that do not exist"), ({"text": "x" * 201}, "not one short line"),
        ({"text": "one\ntwo"}, "not one short line"),
        ({"refs": [Ref(kind="path", name="gone.py", checked="c")]}, "speaks of a file that is gone"),
        ({"kind": "preference", "predicate": "never"}, "a preference that no person stated"),
    ],
)  # fmt: skip
def test_a_memory_that_breaks_a_rule_is_named(log: Log, fields: dict[str, Any], why: str) -> None:
    [found] = wrong(log, MemoryAccepted(memory=said(**fields)))
    assert why in found and "k" in found


def test_what_a_person_pinned_or_said_may_speak_of_what_is_gone(log: Log) -> None:
    gone = [Ref(kind="path", name="gone.py", checked="c")]
    assert wrong(log, MemoryAccepted(memory=said(refs=gone, pinned=True))) == []
    assert wrong(log, MemoryAccepted(memory=said(repo="repo-2", refs=gone))) == []
    assert wrong(log, MemoryAccepted(memory=said(kind="preference", predicate="never", trust="user"))) == []


def test_two_open_values_of_one_functional_predicate_are_found(log: Log) -> None:
    both = [MemoryAccepted(memory=said(id=i, value=v, refs=[])) for i, v in (("k", "a.py"), ("l", "b.py"))]
    assert wrong(log, *both) == ["two open values for old.py is-now"]


def test_a_memory_gives_way_only_to_one_that_exists(log: Log) -> None:
    [found] = wrong(log, MemoryAccepted(memory=said()), MemorySuperseded(id="k", by="none", why="newer"))
    assert found == "k gives way to none, which does not exist"


@pytest.mark.parametrize("index", [b"x" * (MAX_BYTES + 1), b"\n" * (MAX_LINES + 1)])
def test_an_index_beyond_its_limits_is_refused(log: Log, index: bytes) -> None:
    [found] = wrong(log, index=index)
    assert found.startswith("the index has")
