"""What a memory is worth, what it is called, and when news of it is news."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kairos.domain import memory as rules
from kairos.domain.events import Memory, Ref

DAY = 86_400_000_000


def said(**fields: Any) -> Memory:
    given: dict[str, Any] = {
        "id": "", "repo": "repo-1", "kind": "co-change", "subject": "a.py", "predicate": "changes-with",
        "value": "b.py", "text": "", "cites": [1], "support": 4, "confidence": 0.5, "trust": "git",
        "refs": [Ref(kind="path", name=p, checked="c") for p in ("a.py", "b.py")], **fields,
    }  # fmt: skip
    return Memory(**given)


def test_an_id_is_of_the_claim_and_what_it_rests_on() -> None:
    ids = {
        rules.memory_id(said()),
        rules.memory_id(said(), 1),
        rules.memory_id(said(value="c.py")),
        rules.memory_id(said(cites=[1, 2])),
        rules.memory_id(said(confidence=0.51)),
        rules.memory_id(said(support=5)),
    }
    assert len(ids) == 6
    assert all(len(i) == 12 and set(i) <= set("klmnopqrstuvwxyz") for i in ids)
    assert rules.memory_id(said()) == rules.memory_id(said(text="other words", seen=5))


def test_a_functional_predicate_has_one_slot_for_all_its_values() -> None:
    assert rules.slot_of(said(predicate="is-now", value="x")) == rules.slot_of(said(predicate="is-now", value="y"))
    assert rules.slot_of(said(value="x")) != rules.slot_of(said(value="y"))
    assert rules.key_of(said(predicate="is-now", value="x")) != rules.key_of(said(predicate="is-now", value="y"))


@pytest.mark.parametrize(
    ("change", "news"),
    [
        ({}, False), ({"value": "c.py"}, True), ({"confidence": 0.64}, False), ({"confidence": 0.65}, True),
        ({"confidence": 0.35}, True), ({"support": 7}, False), ({"support": 8}, True), ({"seen": 90 * DAY - 1}, False),
        ({"seen": 90 * DAY}, True), ({"text": "other words"}, False),
    ],
)  # fmt: skip
def test_news_is_another_value_or_clearly_more_evidence(change: dict[str, Any], news: bool) -> None:
    assert rules.matters(said(), said(**change)) is news


def test_a_memory_moves_with_its_files_but_a_former_name_stays() -> None:
    moved = rules.moved(said(), {"a.py": "x.py"})
    assert (moved.subject, moved.value, rules.living_paths(moved)) == ("x.py", "b.py", ["x.py", "b.py"])
    renamed = said(kind="rename", predicate="is-now", refs=[Ref(kind="path", name="b.py", checked="c")])
    moved = rules.moved(renamed, {"a.py": "x.py", "b.py": "y.py"})
    assert (moved.subject, moved.value, rules.living_paths(moved)) == ("a.py", "y.py", ["y.py"])
    command = said(kind="command", predicate="passes", value="a.py")
    assert rules.moved(command, {"a.py": "x.py"}) is command
    assert rules.moved(said(), {"c.py": "x.py"}) == said()


def test_worth_falls_to_half_in_half_a_year_and_rises_with_use() -> None:
    fresh = rules.score(said(seen=1000 * DAY), at=1000 * DAY)
    assert rules.score(said(seen=820 * DAY), at=1000 * DAY) == pytest.approx(fresh / 2)
    assert rules.score(said(seen=1000 * DAY), at=0) == fresh, "a clock that goes back makes nothing worth more"
    assert rules.score(said(seen=1000 * DAY), at=1000 * DAY, uses=1) == pytest.approx(2 * fresh)
    assert rules.score(said(seen=1000 * DAY), at=1000 * DAY, against=1) == pytest.approx(fresh - 2)
    assert rules.score(said(seen=1000 * DAY, trust="web"), at=1000 * DAY) == pytest.approx(fresh / 6)
    assert rules.score(said(seen=1, pinned=True), at=10**9 * DAY) >= 1_000
    assert rules.score(msgspec.structs.replace(said(), seen=0, valid_from=1000 * DAY), at=1000 * DAY) == fresh


def test_the_newest_positions_are_cited_once_each() -> None:
    assert rules.newest([9, 1, 9, *range(2, 9), 10]) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert rules.newest([]) == []


def test_rank_is_worth_for_each_byte_and_always_the_same() -> None:
    assert rules.rank({"b": 2.0, "a": 2.0, "c": 9.0, "d": 0.0}, {"a": 1, "b": 1, "c": 9, "d": 0}) == list("abcd")


def test_no_number_of_passes_makes_a_command_certain() -> None:
    assert [rules.certainty(n) for n in (1, 2, 9)] == [0.5, 0.67, 0.9]
    assert rules.certainty(150) < 1
