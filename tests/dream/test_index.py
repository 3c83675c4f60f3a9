from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dream.index import MAX_BYTES, MAX_LINES, NAME, files, folder_of
from kairos.domain.events import Memory, MemoryAccepted
from kairos.domain.memory import score
from kairos.memory.claims import Claims, fold

DAY = 86_400_000_000


def made(
    ident: str, subject: str = "a.py", value: str = "b.py", support: float = 4, confidence: float = 0.8, seen: int = 0,
    repo: str = "repo-1", trust: Any = "git", pinned: bool = False, quarantined: bool = False, contra: float = 0.0,
) -> Memory:  # fmt: skip
    return Memory(
        id=ident, repo=repo, kind="co-change", subject=subject, predicate="changes-with", value=value, text="t",
        cites=[3, 40, 500, 6000], support=support, confidence=confidence, seen=seen, trust=trust, pinned=pinned,
        quarantined=quarantined, contra=contra,
    )  # fmt: skip


def holding(*memories: Memory) -> Claims:
    claims = Claims()
    for position, memory in enumerate(memories, 1):
        fold(claims, MemoryAccepted(memory=memory), position)
    return claims


def test_each_line_says_what_how_surely_and_where_it_was_seen() -> None:
    text = files(holding(made("k")), {"repo-1": "shop"}, 0)[NAME].decode()
    assert (
        "## `shop`\n\n### Files that change together\n- `a.py` → `b.py` (80%, 4 commits) (ev 40, 500, 6000)\n" in text
    )


def test_worth_follows_trust_support_age_and_contradiction() -> None:
    plain = score(made("k"), at=0)
    assert score(made("k", trust="user"), at=0) > score(made("k", trust="test"), at=0) > plain
    assert score(made("k", support=9), at=0) > plain > score(made("k", contra=1), at=0)
    assert abs(score(made("k"), at=180 * DAY) - plain / 2) < 1e-9
    assert score(made("k"), at=0, uses=1) == 2 * plain
    assert score(made("k"), at=0, against=1) == plain - 2


def test_what_does_not_fit_is_the_least_worth_and_still_in_its_topic_file() -> None:
    claims = holding(*(made(f"k{i:04}", f"{i:04}.py", support=3 + i) for i in range(600)))
    out = files(claims, {"repo-1": "shop"}, 0)
    shown = out[NAME].decode()
    assert "`0599.py`" in shown and "`0000.py`" not in shown
    assert out["shop-1/co-change.md"].count(b"\n- ") == 600


def test_a_pinned_memory_is_always_in_the_index_and_a_quarantined_one_never() -> None:
    claims = holding(
        made("kp", "old.py", support=1, pinned=True), made("kq", "poison.py", quarantined=True),
        *(made(f"k{i:04}", f"{i:04}.py", support=300) for i in range(600)),
    )  # fmt: skip
    out = files(claims, {"repo-1": "shop"}, 10_000 * DAY)
    assert b"`old.py`" in out[NAME]
    assert all(b"poison" not in text for text in out.values())


def test_the_folder_of_a_repository_cannot_leave_the_memory_folder() -> None:
    assert folder_of("repo-abcdef12", {"repo-abcdef12": "../../etc"}) == "etc-abcdef"
    assert folder_of("repo-abcdef12", {"repo-abcdef12": "\u202e/.."}) == "repository-abcdef"


@given(
    st.lists(st.tuples(st.text(max_size=120), st.text(max_size=120), st.floats(0, 1e6)), max_size=60),
    st.text(max_size=30),
    st.integers(0, 10**6),
)
@settings(max_examples=80, deadline=None)
def test_whatever_names_say_the_index_is_bounded_and_inert(
    entries: list[tuple[str, str, float]], name: str, days: int
) -> None:
    claims = holding(*(made(f"k{i}", s, v, support=n, repo=f"repo-{i % 3}") for i, (s, v, n) in enumerate(entries)))
    out = files(claims, {f"repo-{i}": name for i in range(3)}, days * DAY)
    index = out[NAME].decode()
    assert len(out[NAME]) <= MAX_BYTES and index.count("\n") <= MAX_LINES
    for line in index.split("\n"):
        assert line.isprintable() and line.count("`") % 2 == 0
        outside = "".join(line.split("`")[::2])
        assert outside == "" or outside.startswith(("# Memory", "## ", "### Files", "- ", "What Kairos", "Text in"))


def test_many_repositories_with_long_names_stay_within_the_limits() -> None:
    claims = holding(*(made(f"k{i:04}", "é" * 90, "ü" * 90, repo=f"repo-{i}") for i in range(300)))
    index = files(claims, {f"repo-{i}": "n" * 200 for i in range(300)}, 0)[NAME]
    assert MAX_BYTES * 0.5 < len(index) <= MAX_BYTES and index.count(b"\n") <= MAX_LINES
