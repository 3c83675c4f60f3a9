"""One streamed answer, put together from its chunks, with the time of the last sign of life."""

from __future__ import annotations

import time
from typing import Any

from kairos.agent.outputs import ToolCall
from kairos.agent.trouble import Answer, Trouble
from kairos.domain.budget import Tokens

ANSWER_AT_MOST = 1_000_000
"""The maximum number of characters in one answer; a longer response is cut off."""


class Streamed:
    """The answer so far. `flowed`: a part of it came; `at`: when the last part came, or the attempt began
    (time.monotonic). Written by the thread that reads the stream, read by the one that waits for it."""

    def __init__(self) -> None:
        self.flowed = False
        self.at = time.monotonic()
        self._text: list[str] = []
        self._calls: dict[int, list[str]] = {}
        self._size = 0

    def add(self, chunk: Any) -> None:
        """Adds one chunk. Trouble if the answer is too long."""
        for choice in chunk.choices[:1]:
            delta = choice.delta
            self._grow(self._text, delta.content)
            self._grow([], getattr(delta, "reasoning_content", None))  # thinking is a sign of life, not an answer
            for part in delta.tool_calls or []:
                call = self._calls.setdefault(part.index, ["", "", ""])
                call[0] = call[0] or part.id or ""
                call[1] = call[1] or part.function.name or ""
                more = part.function.arguments or ""
                call[2] += more
                self._came(len(more) + len(part.function.name or ""))
        if self._size > ANSWER_AT_MOST:
            raise Trouble("cut", f"the answer exceeds the size limit of {ANSWER_AT_MOST} characters")

    def answer(self, ended: str | None, usage: Tokens | None, output_at_most: int) -> Answer:
        """The complete answer. `ended`: the finish reason that the server sent. Trouble if it is not an answer."""
        if ended == "length":
            why = f"the answer reached the limit of {output_at_most} tokens (model.max_output_tokens)"
            raise Trouble("length", why, usage=usage)
        if ended == "content_filter":
            raise Trouble("filtered", "the provider refused to answer, or its filter did", usage=usage)
        if not any(self._text) and not self._calls:
            raise Trouble("garbage", "the answer was empty or not a response of a model", usage=usage)
        if ended is None:
            raise Trouble("cut", "the answer ended in the middle", again=True, usage=usage)
        made = [ToolCall(c[0] or f"call_{i}", c[1], c[2]) for i, c in sorted(self._calls.items())]
        return Answer("".join(self._text), made, usage)

    def _grow(self, parts: list[str], text: str | None) -> None:
        if text:
            parts.append(text)
            self._came(len(text))

    def _came(self, size: int) -> None:
        if size:
            self._size += size
            self.at = time.monotonic()
            self.flowed = True


def usage_of(chunks: list[Any]) -> Tokens | None:
    """The usage that a server sent with one of its chunks, None if it sent none or only zeros. litellm makes one up
    where there is none, so only what was received is read."""
    sent = [c["usage"] for c in chunks if "usage" in c and c["usage"] is not None]
    if not sent:
        return None
    details = getattr(sent[-1], "prompt_tokens_details", None)
    found = Tokens(
        int(sent[-1].prompt_tokens or 0), int(sent[-1].completion_tokens or 0),
        int(getattr(details, "cached_tokens", None) or 0),
    )  # fmt: skip
    return None if (found.input, found.output) == (0, 0) else found
