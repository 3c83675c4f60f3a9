from __future__ import annotations

from kairos.domain.events import Memory, MemoryAccepted, MemoryInvalidated
from kairos.memory.claims import Claims, fold
from kairos.memory.recall import Record, RecordIndex, recall


def shelf(*texts: str, neighbours: int = 0, group: str = "") -> RecordIndex:
    return RecordIndex([Record(str(i), text, group=group) for i, text in enumerate(texts)], neighbours=neighbours)


def test_the_rarer_word_decides() -> None:
    found = shelf("the cat sat", "the cat and a zebra", "the cat ran").search("cat zebra", 3)
    assert found[0][0] == "1" and len(found) == 3


def test_other_forms_of_a_word_are_found() -> None:
    assert [i for i, _ in shelf("she was painting", "a dog").search("paints", 5)] == ["0"]


def test_nothing_in_common_is_no_answer() -> None:
    assert shelf("alpha", "beta").search("gamma", 5) == []
    assert shelf().search("gamma", 5) == []


def test_what_stands_beside_a_match_is_found_too_within_its_group() -> None:
    texts = ("unrelated", "where did you hike?", "in Norway", "far away")
    assert next(i for i, _ in shelf(*texts, neighbours=2).search("hike", 3)) == "1"
    assert "2" in dict(shelf(*texts, neighbours=2).search("hike", 4))
    apart = RecordIndex([Record(str(i), t, group=str(i)) for i, t in enumerate(texts)], neighbours=2)
    assert [i for i, _ in apart.search("hike", 4)] == ["1"]


def memory(ident: str, subject: str, value: str, **more: object) -> Memory:
    return Memory(
        id=ident, repo="repo-1", kind="co-change", subject=subject, predicate="changes-with", value=value,
        text=f"{subject} {value}", cites=[1], support=3, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_only_memories_that_hold_are_recalled() -> None:
    claims = Claims()
    fold(claims, MemoryAccepted(memory=memory("k", "src/pay.py", "src/billing.py")), 5)
    fold(claims, MemoryAccepted(memory=memory("l", "docs/pay.md", "a.md")), 6)
    fold(claims, MemoryAccepted(memory=memory("m", "quiet/pay.md", "b.md", quarantined=True)), 7)
    fold(claims, MemoryInvalidated(id="l", why="dead_reference"), 8)
    assert [c.memory.id for c, _ in recall(claims, "what goes with pay and billings?")] == ["k"]
    assert recall(claims, "pay", repo="repo-2") == []
