"""What a person's own detector answers is hostile input: read within bounds, or refused whole with the reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.detectors.own.answers import MOST_BYTES, MOST_FINDINGS, OwnRefused, read_answers


def line(**fields: Any) -> bytes:
    return json.dumps({"path": "a.py", "title": "a title", **fields}).encode()


def sarif(*results: dict[str, Any]) -> bytes:
    tool = {"driver": {"name": "t"}}
    return json.dumps({"version": "2.1.0", "runs": [{"tool": tool, "results": list(results)}]}).encode()


def problem(text: str, at: int) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": at}}
    return {"ruleId": "R1", "message": {"text": text}, "locations": [{"physicalLocation": place}]}


def test_json_lines_are_read_and_made_inert() -> None:
    found = read_answers(line(key="k", line=3, claim="why\nso", title="\x1b[31mred\u202e") + b"\n\n" + line() + b"\n")
    assert [(a.path, a.line, a.key) for a in found] == [("a.py", 3, "k"), ("a.py", 0, "")]
    assert found[0].title.isprintable() and found[0].claim == "why so"


def test_sarif_is_read_and_its_keys_know_no_line_numbers() -> None:
    (one,) = read_answers(sarif(problem("unused x on line 3", 3)))
    (moved,) = read_answers(sarif(problem("unused x on line 9", 9)))
    assert (one.path, one.line, one.key) == ("a.py", 3, moved.key) and moved.line == 9
    assert read_answers(sarif()) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"not json", b"[]", b"{}", b'{"path":"a"}', line(extra=1), line(line=-1), line(title=""), line(path=""),
        line(edits=[{"path": "a", "old": "", "new": "x"}]), line(edits=[{"path": "a"}] * 2), b"\xff\xfe\x00",
        b"[" * 100_000, b'{"version":"2.1.0","runs":3}', line() + b"\nTraceback (most recent call last):",
        b" " * (MOST_BYTES + 1), (line() + b"\n") * (MOST_FINDINGS + 1), line(path="x" * 5_000),
    ],
    ids=lambda raw: repr(raw[:24]),
)  # fmt: skip
def test_what_is_no_answer_is_refused_with_the_reason(raw: bytes) -> None:
    with pytest.raises(OwnRefused) as refused:
        read_answers(raw)
    assert 0 < len(str(refused.value)) < 400 and str(refused.value).isprintable()


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        read_answers(raw)
    except OwnRefused:
        pass
