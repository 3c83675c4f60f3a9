"""What changes with some files, as memory has it: surest first, and never what is asked about."""

from __future__ import annotations

from typing import Any

from kairos.domain.events import Memory, MemoryAccepted, MemoryInvalidated
from kairos.memory.claims import Claims, fold
from kairos.memory.related import LEAST, Related, Relations


def said(subject: str, value: str, confidence: float = 0.5, **fields: Any) -> Memory:
    given: dict[str, Any] = {
        "id": f"{subject}-{value}-{confidence}", "repo": "repo-1", "kind": "co-change", "predicate": "changes-with",
        "text": "", "cites": [3, 4], "support": 4, "valid_from": 100, **fields,
    }  # fmt: skip
    return Memory(subject=subject, value=value, confidence=confidence, **given)


def relations(*memories: Memory, closed: str = "") -> Relations:
    claims = Claims()
    for position, memory in enumerate(memories, 10):
        fold(claims, MemoryAccepted(memory=memory), position)
    if closed:
        fold(claims, MemoryInvalidated(id=closed, why="dead", detail=""), 99)
    return Relations(claims, "repo-1")


def paths(found: list[Related]) -> list[str]:
    return [r.path for r in found]


def test_the_surest_come_first_with_what_they_rest_on() -> None:
    found = relations(said("a", "b", 0.5), said("a", "c", 0.9), said("a", "d", 0.5)).related(["a"])
    assert paths(found) == ["c", "b", "d"]
    assert found[0] == Related("c", 0.9, 4, [3, 4], "a-c-0.9")
    assert paths(relations(said("a", "b", 0.5), said("a", "c", 0.9)).related(["a"], limit=1)) == ["c"]


def test_a_file_that_several_speak_of_is_said_once_as_sure_as_the_surest() -> None:
    [found] = relations(said("a", "c", 0.5), said("b", "c", 0.7)).related(["a", "b"])
    assert (found.path, found.confidence) == ("c", 0.7)


def test_what_is_asked_about_is_never_an_answer() -> None:
    assert relations(said("a", "b"), said("b", "a")).related(["a", "b"]) == []


def test_what_is_closed_unsure_quarantined_or_elsewhere_is_left_out() -> None:
    assert relations(said("a", "b", LEAST - 0.01)).related(["a"]) == []
    assert paths(relations(said("a", "b", LEAST)).related(["a"])) == ["b"]
    assert relations(said("a", "b", quarantined=True)).related(["a"]) == []
    assert relations(said("a", "b", repo="repo-2")).related(["a"]) == []
    assert relations(said("a", "b", predicate="is-now")).related(["a"]) == []
    assert relations(said("a", "b"), closed="a-b-0.5").related(["a"]) == []
    assert relations(said("a", "b")).related(["other"]) == []


def test_what_held_then_is_told_of_then() -> None:
    known = relations(said("a", "b", valid_from=100))
    assert (paths(known.related(["a"], at_us=100)), known.related(["a"], at_us=99)) == (["b"], [])
