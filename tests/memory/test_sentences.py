from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.events import Memory
from kairos.memory.sentences import cited, heading, order, sentence


def said(kind: str, **fields: Any) -> Memory:
    given: dict[str, Any] = {
        "id": "k", "repo": "r", "kind": kind, "subject": "a.py", "predicate": "p", "value": "b.py", "text": "",
        "cites": [1, 2, 3, 4], "support": 4, "confidence": 0.75, **fields,
    }  # fmt: skip
    return Memory(**given)


@pytest.mark.parametrize(
    ("memory", "text"),
    [
        (said("co-change"), "`a.py` → `b.py` (75%, 4 commits)"),
        (said("co-change", support=1), "`a.py` → `b.py` (75%, 1 commit)"),
        (said("rename"), "`a.py` is now `b.py`"),
        (said("command", value="make test"), "the check `make test` passed 4×"),
        (said("preference", subject="secret"), "never again from `secret`: `b.py`"),
        (said("owner"), "p: `a.py` `b.py`"),
    ],
)
def test_each_kind_is_a_sentence(memory: Memory, text: str) -> None:
    assert sentence(memory) == text


@given(st.sampled_from(["co-change", "rename", "command", "preference", "other"]), st.text(), st.text())
def test_a_sentence_is_one_short_line_whatever_the_names_are(kind: str, subject: str, value: str) -> None:
    text = sentence(said(kind, subject=subject, value=value, predicate=value))
    assert len(text) <= 200
    assert len(text.splitlines()) <= 1 and text.isprintable()


def test_the_newest_three_positions_are_cited() -> None:
    assert cited(said("co-change")) == "(ev 2, 3, 4)"
    assert cited(said("co-change"), 1) == "(ev 4)"


def test_known_kinds_come_first_in_their_order_and_others_by_name() -> None:
    kinds = ["zebra", "rename", "co-change", "apple", "command", "preference"]
    assert sorted(kinds, key=order) == ["preference", "command", "co-change", "rename", "apple", "zebra"]
    assert heading("rename") == "Former names"
    assert heading("owner") == "Owner"
