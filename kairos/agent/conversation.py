"""The messages of one turn in the wire format, with an upper bound on their size and credentials removed from each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from kairos.agent.outputs import ToolCall
from kairos.agent.tools import cut
from kairos.agent.trouble import Answer
from kairos.domain.secrets import redact

REQUEST_AT_MOST = 120_000
"""The maximum size of one request in bytes, far below the sizes for which providers charge higher prices."""
_ROOM = 8_000
_OVERHEAD = 1_000


class Conversation:
    """The messages of one turn, to which answers and replies are added. `scrubbed` removes the user's key from a
    text."""

    def __init__(self, opening: Sequence[dict[str, Any]], scrubbed: Callable[[str], str]) -> None:
        self._scrubbed = scrubbed
        self.messages: list[dict[str, Any]] = [{**m, "content": self._clean(m["content"])} for m in opening]

    def say(self, text: str) -> None:
        """Adds a user message."""
        self.messages.append({"role": "user", "content": self._clean(text)})

    def reply(self, call: str, text: str) -> None:
        """Adds the reply to a tool call, cut to the space left in the request."""
        left = REQUEST_AT_MOST - _ROOM - len(msgspec.json.encode(self.messages))
        clean = self._clean(text)
        if left < 1_000:
            clean = "Left out: this turn has read all it may. Answer now with `propose_patch` or `nothing`."
        self.messages.append({"role": "tool", "tool_call_id": call, "content": cut(clean, max(left, 1_000))})

    def answered(self, answer: Answer) -> list[ToolCall]:
        """Adds the model's answer and returns its calls, with the unique ids that they have in the message."""
        seen: set[str] = set()
        calls = []
        for place, call in enumerate(answer.calls):
            unique = call.id if call.id not in seen else f"{call.id}_{place}"
            seen.add(unique)
            calls.append(ToolCall(unique, call.name, call.arguments))
        message: dict[str, Any] = {"role": "assistant", "content": cut(self._clean(answer.text), 4_000) or None}
        if calls:
            message["tool_calls"] = [
                {"id": c.id, "type": "function", "function": {"name": _name(c.name), "arguments": self._echo(c)}}
                for c in calls
            ]
        self.messages.append(message)
        return calls

    def measure(self, tools: Sequence[dict[str, Any]], model: str) -> tuple[int, str]:
        """Returns (upper bound of input tokens, SHA-256 of the request). A byte-level tokenizer never makes more tokens
        than bytes; the overhead covers the frame that a provider adds to messages and tools."""
        body = msgspec.json.encode([model, self.messages, tools])
        return len(body) + _OVERHEAD, hashlib.sha256(body).hexdigest()

    def _echo(self, call: ToolCall) -> str:
        """The arguments as sent back to the model: always a JSON object, because servers parse them."""
        clean = self._clean(call.arguments)
        try:
            decoded = msgspec.json.decode(clean)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return "{}"
        return clean if isinstance(decoded, dict) and len(clean) <= 16_000 else "{}"

    def _clean(self, text: str) -> str:
        return self._scrubbed(redact(text.encode("utf-8", "backslashreplace").decode("utf-8")))


def _name(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", text)[:64] or "unknown"
