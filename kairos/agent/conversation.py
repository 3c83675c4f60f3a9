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
COMPACTED = "Left out to make room for later results. Call the tool again if you need it."
_ROOM, _FRAME = 8_000, 200
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
        """Adds the reply to a tool call. Replies to earlier answers make room for it, the oldest first: each stays in
        its place, without its text, so that no call loses its result. What has no room then is cut."""
        clean = self._clean(text)
        left = self._room()
        for message in self._earlier_replies():
            if left >= len(clean.encode()) + _FRAME:
                break
            message["content"] = COMPACTED
            left = self._room()
        if left < 1_000:
            clean = "Left out: this turn has read all it may. Answer now with `propose_patch` or `nothing`."
        self.messages.append({"role": "tool", "tool_call_id": call, "content": cut(clean, max(left, 1_000))})

    def _room(self) -> int:
        """The bytes that a reply may have now."""
        return REQUEST_AT_MOST - _ROOM - len(msgspec.json.encode(self.messages))

    def _earlier_replies(self) -> list[dict[str, Any]]:
        """The replies to answers before the last one that can be made shorter, oldest first."""
        places = [place for place, m in enumerate(self.messages) if m["role"] == "assistant"]
        before = self.messages[: places[-1]] if places else []
        return [m for m in before if m["role"] == "tool" and len(m["content"]) > len(COMPACTED)]

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
