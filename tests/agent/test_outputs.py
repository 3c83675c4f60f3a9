from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.agent.outputs import Result, ToolCall, parse_result, requests_of
from kairos.agent.tools.catalogue import READERS
from kairos.domain.action import NoteAction
from kairos.domain.finding import Finding
from kairos.domain.turn import Declining, Malformed, Proposing, Using

FINDING = Finding(
    detector="review-change", version=1, key="k", title="t", claim="c", action=NoteAction(repo="r", text="x"),
    evidence=[1], engine="model",
)  # fmt: skip


def test_the_result_is_the_last_line() -> None:
    result = Result(turn="turn-1", outcome="proposed", finding=FINDING, spent_microusd=3)
    assert parse_result(b'noise\n{"outcome": "quiet"}\n' + msgspec.json.encode(result) + b"\n") == result


@pytest.mark.parametrize(
    "out",
    [b"", b"\n", b"noise", b'{"turn":"t"}', b'{"turn":"t","outcome":"perfect"}', b'{"turn":"t","outcome":"proposed"}',
     b'{"turn":"t","outcome":"quiet","extra":1}', b"\xff\xfe",
     msgspec.json.encode(Result(turn="t", outcome="quiet", finding=FINDING))],
)  # fmt: skip
def test_anything_else_is_not_a_result(out: bytes) -> None:
    with pytest.raises(ValueError):
        parse_result(out)


def _one(name: str, arguments: str) -> object:
    return requests_of([ToolCall("c", name, arguments)], READERS)[0]


def test_calls_are_decoded_under_their_schema() -> None:
    assert _one("read_file", '{"path": "a"}') == Using("c", "read_file", {"path": "a", "start": 1, "lines": 200})
    assert _one("nothing", "") == _one("nothing", '{"why": "fine"}') == Declining("c")
    patch = '{"title": "t", "claim": "c", "files": [{"path": "a", "old_text": "b", "new_text": "c"}]}'
    assert isinstance(_one("propose_patch", patch), Proposing)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("read_file", '{"path": 1}'),
        ("read_file", '{"path": "a", "root": "/"}'),
        ("read_file", "[]"),
        ("run_command", '{"argv": ["rm"]}'),
        ("propose_patch", '{"title": "", "claim": "c", "files": [{"path": "a", "old_text": "b", "new_text": "c"}]}'),
        ("propose_patch", '{"title": "t", "claim": "c", "files": [{"path": "a", "old_text": "b"}]}'),
        ("nothing", '"no"'),
        ("grep_search", "[" * 100_000),
    ],
)
def test_what_does_not_fit_the_schema_is_malformed(name: str, arguments: str) -> None:
    assert isinstance(_one(name, arguments), Malformed)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = _one("propose_patch", '{"title": 3, "files": [{"path": "a", "old": "b"}], "why": "x"}')
    assert isinstance(wrong, Malformed)
    for part in ("title is 3", "claim is missing", "files[0].old_text is missing", "`files[0].old`", "`why`"):
        assert part in wrong.why, wrong.why


@settings(deadline=None)  # the first one imports pydantic
@given(st.text(max_size=40), st.text(max_size=200))
def test_no_call_whatever_it_holds_raises(name: str, arguments: str) -> None:
    for tool in (name, "propose_patch", "read_file"):
        assert _one(tool, arguments) is not None
