"""Under a limit the strongest come in; what gives way does so by an event, and a person's memory never does."""

from __future__ import annotations

from typing import Any

import pytest

from dream import admission
from dream.admission import admit, named
from kairos.domain.events import Memory, MemoryAccepted, MemoryInvalidated
from kairos.domain.memory import LIMITS
from kairos.memory.claims import Claims, fold


def said(subject: str, support: float = 4, **fields: Any) -> Memory:
    given: dict[str, Any] = {
        "id": "", "repo": "repo-1", "kind": "command", "predicate": "passes", "value": "v", "text": "", "cites": [1],
        "confidence": 0.8, "trust": "git", **fields,
    }  # fmt: skip
    return Memory(subject=subject, support=support, **given)


def holding(*memories: Memory) -> Claims:
    claims = Claims()
    for position, memory in enumerate(memories, 10):
        fold(claims, MemoryAccepted(memory=named(claims, memory)), position)
    return claims


@pytest.fixture(autouse=True)
def two_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "LIMITS", {**LIMITS, "command": 2})


def admitted(claims: Claims, *fresh: Memory, changes: Any = ()) -> tuple[list[str], list[str]]:
    """(subjects that came in, ids that gave way), in the order of events: what gives way goes first."""
    events = admit(claims, changes, fresh, 0)
    accepted = [e.memory.subject for e in events if isinstance(e, MemoryAccepted)]
    expired = [e.id for e in events if isinstance(e, MemoryInvalidated)]
    assert len(accepted) + len(expired) == len(events)
    return accepted, expired


def ids(claims: Claims) -> dict[str, str]:
    return {c.memory.subject: c.memory.id for c in claims.open()}


def test_while_there_is_room_everything_comes_in_strongest_first() -> None:
    assert admitted(Claims(), said("weak", 1), said("strong", 9)) == (["strong", "weak"], [])


def test_beyond_the_limit_only_the_strongest_of_the_new_come_in() -> None:
    assert admitted(Claims(), said("a", 1), said("b", 2), said("c", 3)) == (["c", "b"], [])


def test_the_weakest_gives_way_to_one_that_is_clearly_stronger() -> None:
    claims = holding(said("weak", 1), said("strong", 9))
    assert admitted(claims, said("new", 4)) == (["new"], [ids(claims)["weak"]])
    assert admitted(claims, said("new", 1.2)) == ([], [])


def test_what_came_in_tonight_does_not_give_way_tonight() -> None:
    claims = holding(said("weak", 1), said("weaker", 0.5))
    accepted, expired = admitted(claims, said("a", 9), said("b", 8), said("c", 7))
    assert accepted == ["a", "b"] and len(expired) == 2


@pytest.mark.parametrize("firm", [{"pinned": True}, {"trust": "user"}])
def test_what_a_person_said_never_gives_way(firm: dict[str, Any]) -> None:
    claims = holding(said("one", 0.1, **firm), said("two", 0.1, **firm))
    assert admitted(claims, said("new", 99)) == ([], [])


def test_limits_are_of_one_kind_in_one_repository() -> None:
    claims = holding(said("one", 9), said("two", 9))
    elsewhere, other = said("x", 1, repo="repo-2"), said("y", 1, kind="rename", predicate="is-now")
    assert admitted(claims, elsewhere, other) == (["x", "y"], [])


def test_room_that_tonights_changes_make_is_used() -> None:
    claims = holding(said("one", 9), said("two", 9))
    closed = MemoryInvalidated(id=ids(claims)["one"], why="dead", detail="")
    assert admitted(claims, said("new", 1), changes=[closed]) == (["new"], [])


def test_a_memory_gets_a_sentence_and_an_id_that_none_had_before() -> None:
    claims = holding(said("one"))
    again = named(claims, said("one"))
    assert again.id not in claims.by_id
    assert again.text == "the check `v` passed 4×"
