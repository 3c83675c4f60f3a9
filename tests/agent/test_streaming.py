"""An answer put together from chunks, as litellm hands them out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kairos.agent.outputs import ToolCall
from kairos.agent.streaming import ANSWER_AT_MOST, Streamed, usage_of
from kairos.agent.trouble import Trouble
from kairos.domain.budget import Tokens


def chunk(content: str | None = None, calls: Any = None, **more: Any) -> Any:
    return SimpleNamespace(choices=[SimpleNamespace(delta=SimpleNamespace(content=content, tool_calls=calls, **more))])


def part(index: int, arguments: str | None, name: str | None = None, id: str | None = None) -> Any:
    return SimpleNamespace(index=index, id=id, function=SimpleNamespace(name=name, arguments=arguments))


def streamed(*chunks: Any) -> Streamed:
    found = Streamed()
    for one in chunks:
        found.add(one)
    return found


def test_pieces_of_parallel_calls_are_joined_by_their_index() -> None:
    found = streamed(
        chunk("Let me "), chunk("look."), chunk(None, [part(0, "", "grep", "a"), part(1, '{"x"', "read")]),
        chunk(None, [part(1, ": 1}"), part(0, "{}")]),
    )  # fmt: skip
    answer = found.answer("tool_calls", None, 10)
    assert answer.text == "Let me look."
    assert answer.calls == [ToolCall("a", "grep", "{}"), ToolCall("call_1", "read", '{"x": 1}')]


@pytest.mark.parametrize(
    ("chunks", "flowed"),
    [
        ([], False), ([chunk(None)], False), ([chunk("")], False), ([chunk(None, [part(0, "")])], False),
        ([chunk("a")], True), ([chunk(None, [part(0, "{")])], True), ([chunk(None, [part(0, None, "grep")])], True),
        ([chunk(None, reasoning_content="hm")], True),
        ([SimpleNamespace(choices=[])], False),
    ],
)  # fmt: skip
def test_tokens_flow_with_the_first_part_of_an_answer(chunks: list[Any], flowed: bool) -> None:
    assert streamed(*chunks).flowed == flowed


@pytest.mark.parametrize(
    ("chunks", "ended", "kind"),
    [
        ([chunk("a")], "length", "length"), ([], "length", "length"),
        ([chunk(None, [part(0, "{}", "x")])], "length", "length"),
        ([chunk("a")], "content_filter", "filtered"),
        ([], "stop", "garbage"), ([chunk(None, reasoning_content="hm")], "stop", "garbage"),
        ([chunk("a")], None, "cut"),
    ],
)  # fmt: skip
def test_what_ended_otherwise_is_no_answer_but_costs_what_it_cost(
    chunks: list[Any], ended: str | None, kind: str
) -> None:
    with pytest.raises(Trouble) as broken:
        streamed(*chunks).answer(ended, Tokens(7, 8), 10)
    assert (broken.value.kind, broken.value.usage) == (kind, Tokens(7, 8))


@pytest.mark.parametrize(
    "piece", [chunk("x" * 60_000), chunk(None, [part(0, "x" * 60_000)]), chunk(None, reasoning_content="x" * 60_000)]
)
def test_an_answer_without_end_is_cut(piece: Any) -> None:
    with pytest.raises(Trouble, match="exceeds the size limit"):
        streamed(*[piece] * (ANSWER_AT_MOST // 60_000 + 1))


def test_only_a_usage_that_was_sent_counts() -> None:
    def usage(used: Any, made: Any, **more: Any) -> Any:
        return {"usage": SimpleNamespace(prompt_tokens=used, completion_tokens=made, **more)}

    details = SimpleNamespace(cached_tokens=3)
    assert usage_of([{}, usage(9, 2, prompt_tokens_details=details)]) == Tokens(9, 2, 3)
    assert usage_of([usage(-5, None)]) == Tokens(-5, 0)
    assert usage_of([{}, {"usage": None}]) is usage_of([usage(0, 0)]) is usage_of([]) is None
