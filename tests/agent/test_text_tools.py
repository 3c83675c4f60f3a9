from __future__ import annotations

import json
from typing import Any

import pytest

from kairos.agent.outputs import ToolCall
from kairos.agent.text_tools import OVERHEAD, answer_format, calls_of, described
from kairos.agent.tools.catalogue import READERS, offered

TALK: list[dict[str, Any]] = [
    {"role": "system", "content": "Review."},
    {"role": "user", "content": "This."},
    {
        "role": "assistant", "content": None,
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "recall", "arguments": '{"query":"x"}'}},
            {"id": "b", "type": "function", "function": {"name": "git_log", "arguments": "{}"}},
        ],
    },
    {"role": "tool", "tool_call_id": "a", "content": "nothing"},
    {"role": "tool", "tool_call_id": "b", "content": "two commits"},
    {"role": "user", "content": "Go on."},
]  # fmt: skip


def test_calls_and_results_become_text_in_turns() -> None:
    told = described(TALK, offered(READERS, False))
    assert [m["role"] for m in told] == ["system", "user", "assistant", "user"]
    assert all(set(m) == {"role", "content"} for m in told)
    assert json.loads(told[2]["content"]) == {
        "calls": [{"tool": "recall", "arguments": {"query": "x"}}, {"tool": "git_log", "arguments": {}}]
    }
    assert told[3]["content"] == "Result of recall:\nnothing\n\nResult of git_log:\ntwo commits\n\nGo on."
    assert '"name":"read_file"' in told[0]["content"] and told[0]["content"].startswith("Review.")


def test_what_the_description_adds_is_within_its_bound() -> None:
    tools = offered(READERS, False)
    added = len(described(TALK[:1], tools)[0]["content"].encode()) - len(json.dumps(tools).encode())
    assert added < OVERHEAD


def test_the_schema_takes_each_tool_with_its_own_arguments() -> None:
    items = answer_format(offered(READERS, True))["json_schema"]["schema"]["properties"]["calls"]["items"]["anyOf"]
    assert [i["properties"]["tool"]["const"] for i in items] == ["propose_patch", "nothing"]
    assert items[0]["properties"]["arguments"]["required"] == ["title", "claim"]


@pytest.mark.parametrize(
    "text",
    [
        '{"calls": [{"tool": "recall", "arguments": {"query": "x"}}]}',
        '{"tool": "recall", "arguments": {"query": "x"}}',
        'Sure {me}:\n```json\n{"calls": [{"tool": "recall", "arguments": {"query": "x"}}]}\n```\n',
    ],
)
def test_calls_are_found_whatever_stands_around_them(text: str) -> None:
    assert calls_of(text) == [ToolCall("call_0", "recall", '{"query":"x"}')]


@pytest.mark.parametrize(
    "text", ["", "no", "{", "}{", '{"calls": 3}', '{"calls": [3]}', '{"calls": []}', "[1]", "{" * 100_000 + "}"]
)
def test_what_holds_no_call_gives_none(text: str) -> None:
    assert calls_of(text) == []
