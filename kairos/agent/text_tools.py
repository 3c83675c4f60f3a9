"""Tools for a model that has no tool calls of its own: they are described in the system message, what was called and
answered is told as text, and the model answers with one JSON object under a schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from kairos.agent.outputs import ToolCall

Message = dict[str, Any]
OVERHEAD = 2_000
"""The most bytes that the description adds to a request, beside the tools themselves."""
_TRIES = 20
_CALLS_AT_MOST = 16
_HOW = """You have no tools of your own. Answer with one JSON object and nothing else:
{"calls": [{"tool": NAME, "arguments": OBJECT}]}
Several reading tools may be called at once. The result of each comes in the next message. The tools, one a line, with
the JSON schema of their arguments:
"""


def described(messages: Sequence[Message], tools: Sequence[Message]) -> list[Message]:
    """The same conversation without tool calls: the tools in the system message, calls and results as text. Messages of
    one role that follow each other are one, because some servers insist on that."""
    lines = [msgspec.json.encode(tool["function"]).decode() for tool in tools]
    out: list[Message] = []
    names: dict[str, str] = {}
    for message in messages:
        role, text = message["role"], message["content"] or ""
        if role == "system":
            text = f"{text}\n\n{_HOW}" + "\n".join(lines)
        elif role == "assistant" and "tool_calls" in message:
            made = [call["function"] for call in message["tool_calls"]]
            names |= {call["id"]: call["function"]["name"] for call in message["tool_calls"]}
            calls = [{"tool": f["name"], "arguments": msgspec.json.decode(f["arguments"])} for f in made]
            text = msgspec.json.encode({"calls": calls}).decode()
        elif role == "tool":
            role, text = "user", f"Result of {names.get(message['tool_call_id'], 'a tool')}:\n{text}"
        if out and out[-1]["role"] == role:
            out[-1]["content"] += f"\n\n{text}"
        else:
            out.append({"role": role, "content": text})
    return out


def answer_format(tools: Sequence[Message]) -> dict[str, Any]:
    """The `response_format` of a request: an object with calls, each with the arguments of its tool."""
    calls = [
        {
            "type": "object",
            "properties": {"tool": {"const": f["name"]}, "arguments": f["parameters"]},
            "required": ["tool", "arguments"],
            "additionalProperties": False,
        }
        for f in (tool["function"] for tool in tools)
    ]
    schema = {
        "type": "object",
        "properties": {"calls": {"type": "array", "items": {"anyOf": calls}, "minItems": 1}},
        "required": ["calls"],
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "calls", "schema": schema}}


def calls_of(text: str) -> list[ToolCall]:
    """The calls in an answer: in its first JSON object that holds some, whatever stands around it. None if there is no
    such object."""
    for found in _objects(text):
        calls = found.get("calls", [found])
        made = [_call(place, c) for place, c in enumerate(calls)] if isinstance(calls, list) else []
        if made and None not in made:
            return [c for c in made if c is not None][:_CALLS_AT_MOST]
    return []


def _call(place: int, call: Any) -> ToolCall | None:
    name = call.get("tool") if isinstance(call, dict) else None
    if not isinstance(name, str):
        return None
    return ToolCall(f"call_{place}", name, msgspec.json.encode(call.get("arguments", {})).decode())


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects that begin in a text, at most so many places are tried."""
    end, at = text.rfind("}") + 1, text.find("{")
    for _ in range(_TRIES):
        if at < 0 or at >= end:
            return
        try:
            found = msgspec.json.decode(text[at:end])
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            found = None
        if isinstance(found, dict):
            yield found
        at = text.find("{", at + 1)
