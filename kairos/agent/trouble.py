"""The answer of one attempt, and what can go wrong with it. Cheap to import."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Literal

import msgspec

from kairos.agent.outputs import ToolCall
from kairos.clock import SECOND, now_us
from kairos.domain.budget import Tokens

WAIT_AT_MOST_S = 86_400.0
"""A server that asks for a longer pause is asked again after a day."""

Kind = Literal["rate_limited", "error", "timeout", "garbage", "cut", "length", "filtered", "stopped"]


class Answer(msgspec.Struct, frozen=True):
    """A complete answer. `usage`: as the provider reported it, not yet believed; None if it reported none."""

    text: str
    calls: list[ToolCall]
    usage: Tokens | None


class Trouble(Exception):
    """An attempt without an answer. `again`: another attempt may succeed; `free`: the request was refused or never
    sent, so it costs nothing; `retry_after` in seconds; `status`: of the HTTP answer, 0 if there was none."""

    def __init__(
        self, kind: Kind, why: str, *, again: bool = False, free: bool = False, retry_after: float | None = None,
        usage: Tokens | None = None, status: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(why)
        self.kind: Kind = kind
        self.why = why
        self.again = again
        self.free = free
        self.retry_after = retry_after
        self.usage = usage
        self.status = status

    def after_tokens(self) -> Trouble:
        """The same after a part of the answer had come: it is paid for, so it is never asked for again."""
        self.again = self.free = False
        return self


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The pause that a server asks for, in seconds from now and at most a day: `retry-after-ms`, or `retry-after` as a
    number or an HTTP date. None if it asks for none that can be read."""
    for name, unit in (("retry-after-ms", 1_000.0), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        seconds = _number(text, unit)
        if seconds is None and text and name == "retry-after":
            seconds = _date(text)
        if seconds is not None:
            return min(max(seconds, 0.0), WAIT_AT_MOST_S)
    return None


def _number(text: str, unit: float) -> float | None:
    try:
        seconds = float(text) / unit
    except ValueError:
        return None
    return seconds if seconds == seconds else None  # not a number is no pause


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() - now_us() / SECOND
    except (ValueError, TypeError, OverflowError):
        return None
