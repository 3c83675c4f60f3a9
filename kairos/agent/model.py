"""The only port to a model, with litellm for calls and stamina for retries. Both are imported only for a call.

One attempt is one HTTP request: every other retry, cache, callback and fallback is off. An attempt runs in a thread
that is joined with a deadline, because a server that sends one byte from time to time never causes a socket timeout.
"""

from __future__ import annotations

import ipaddress
import os
import queue
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from kairos.agent.outputs import ToolCall
from kairos.domain.budget import Price
from kairos.errors import UsageError
from kairos.settings import Model

ATTEMPTS = 3
ANSWER_AT_MOST = 1_000_000
"""The maximum number of characters in one answer; a longer response is cut off."""

Kind = Literal["rate_limited", "error", "timeout", "garbage", "cut", "stopped"]
Message = dict[str, Any]


class Answer(msgspec.Struct, frozen=True):
    """A complete answer. `usage`: (input, output) tokens as reported by the provider, None if it reported none."""

    text: str
    calls: list[ToolCall]
    usage: tuple[int, int] | None


class Trouble(Exception):
    """An attempt without an answer. `again`: another attempt may succeed; `free`: the request was refused or never
    sent, so it costs nothing; `retry_after` in seconds."""

    def __init__(
        self, kind: Kind, why: str, *, again: bool = False, free: bool = False, retry_after: float | None = None,
        usage: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(why)
        self.kind: Kind = kind
        self.why = why
        self.again = again
        self.free = free
        self.retry_after = retry_after
        self.usage = usage


class Halted(Exception):
    """The turn was stopped by a signal; no further call is made."""


class Halt:
    """The stop switch, set by a signal handler. It interrupts code in `waiting` and is polled elsewhere."""

    def __init__(self) -> None:
        self.asked = False
        self._waiting = False

    def set(self, *_: object) -> None:
        """Stops the turn. Called as a signal handler or directly from the main thread."""
        self.asked = True
        if self._waiting:
            raise Halted

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Marks code that `set` may interrupt."""
        self._waiting = True
        try:
            if self.asked:
                raise Halted
            yield
        finally:
            self._waiting = False


class ModelPort:
    """A configured model. `key` is the API key itself, empty for none."""

    def __init__(self, settings: Model, key: str) -> None:
        self._settings = settings
        self._key = key

    @property
    def target(self) -> str:
        """The model's name for litellm. With a `base_url`, the server may be any that supports OpenAI's format."""
        name = self._settings.name
        if not self._settings.base_url or name.startswith(("openai/", "anthropic/")):
            return name
        return f"openai/{name}"

    def price(self) -> Price:
        """The price of tokens. UsageError if it is unknown, because an unknown price cannot be reserved."""
        own = (self._settings.input_usd_per_million, self._settings.output_usd_per_million)
        if own[0] is not None and own[1] is not None:
            return Price(input=own[0], output=own[1])
        if own == (None, None) and _is_loopback(self._settings.base_url):
            return Price(input=0.0, output=0.0)
        if own == (None, None) and not self._settings.base_url:
            known = _litellm().model_cost
            for name in (self.target, self.target.partition("/")[2]):
                entry = known.get(name, {})
                if "input_cost_per_token" in entry and "output_cost_per_token" in entry:
                    return Price(input=entry["input_cost_per_token"] * 1e6, output=entry["output_cost_per_token"] * 1e6)
        raise UsageError(
            f"the price of {self._settings.name} is not known, so no budget can be kept",
            "Set model.input_usd_per_million and model.output_usd_per_million.",
        )

    def load(self) -> None:
        """Imports the packages for a call in advance, so that the import does not count towards the turn's time."""
        _litellm()

    def ask(
        self,
        messages: list[Message],
        tools: list[Message],
        *,
        deadline: float,
        halt: Halt,
        attempt: Callable[[int, Callable[[], Answer]], Answer],
    ) -> Answer:
        """Returns the answer to a conversation, with at most 3 attempts before `deadline` (time.monotonic).

        `attempt(number, send)` is called for each attempt, to update the ledger around `send()`. Trouble if no attempt
        was answered; Halted if the stop switch was set."""
        import stamina
        import stamina.instrumentation

        stamina.instrumentation.set_on_retry_hooks([])
        longest = max(0.05, min(8.0, (deadline - time.monotonic()) / 6))

        def worth(error: Exception) -> bool | float:
            if not isinstance(error, Trouble) or not error.again:
                return False
            left = deadline - time.monotonic()
            if error.retry_after is not None:
                return error.retry_after if error.retry_after < left else False
            return longest < left

        retries = iter(
            stamina.retry_context(
                on=worth, attempts=ATTEMPTS, timeout=None, wait_initial=longest / 8, wait_max=longest,
                wait_jitter=longest / 8,
            )
        )  # fmt: skip
        while True:
            with halt.waiting():  # includes the pause between attempts: a stop ends it at once
                turn = next(retries)
            with turn:
                return attempt(turn.num, lambda: self._send(messages, tools, deadline, halt))

    def _send(self, messages: list[Message], tools: list[Message], deadline: float, halt: Halt) -> Answer:
        left = deadline - time.monotonic()
        seconds = min(left, self._settings.deadline_seconds / ATTEMPTS)
        if seconds <= 0:
            raise Trouble("timeout", "no time is left")
        box: queue.SimpleQueue[Answer | BaseException] = queue.SimpleQueue()
        given_up = threading.Event()

        def work() -> None:
            try:
                box.put(self._stream(messages, tools, seconds, given_up))
            except BaseException as error:  # noqa: BLE001 - carried to the waiting thread
                box.put(error)

        threading.Thread(target=work, name="model call", daemon=True).start()
        try:
            with halt.waiting():
                got = box.get(timeout=seconds)
        except queue.Empty:
            raise Trouble("timeout", f"no complete answer within {seconds:.0f} s", again=True) from None
        finally:
            given_up.set()
        if isinstance(got, Answer):
            return got
        if isinstance(got, Trouble):
            raise got
        raise self._trouble(got) from got

    def _stream(
        self, messages: list[Message], tools: list[Message], seconds: float, given_up: threading.Event
    ) -> Answer:
        litellm = _litellm()
        stream = litellm.completion(
            model=self.target, messages=messages, tools=tools, stream=True, stream_options={"include_usage": True},
            api_key=self._key or "none", api_base=self._settings.base_url or None,
            max_tokens=self._settings.max_output_tokens, timeout=seconds, num_retries=0, max_retries=0,
            drop_params=False, caching=False, _skip_mcp_handler=True,
        )  # fmt: skip
        text: list[str] = []
        calls: dict[int, list[str]] = {}
        size = 0
        for chunk in stream:
            for choice in chunk.choices[:1]:
                text.append(choice.delta.content or "")
                size += len(text[-1])
                for part in choice.delta.tool_calls or []:
                    call = calls.setdefault(part.index, ["", "", ""])
                    call[0] = call[0] or part.id or ""
                    call[1] = call[1] or part.function.name or ""
                    call[2] += part.function.arguments or ""
                    size += len(part.function.arguments or "")
            if given_up.is_set() or size > ANSWER_AT_MOST:
                with suppress(Exception):
                    stream.completion_stream.close()
                raise Trouble("cut", "the answer exceeds the size limit")
        # litellm makes up a finish reason and a usage if the server sent none: use only what was received.
        ended = stream.received_finish_reason or getattr(stream, "intermittent_finish_reason", None)
        sent = [c["usage"] for c in stream.chunks if "usage" in c and c["usage"] is not None]
        usage = (int(sent[-1].prompt_tokens or 0), int(sent[-1].completion_tokens or 0)) if sent else None
        if usage == (0, 0):
            usage = None
        if not any(text) and not calls:
            raise Trouble("garbage", "the answer was empty or not a response of a model", usage=usage)
        if ended is None:
            raise Trouble("cut", "the answer ended in the middle", again=True)
        made = [ToolCall(c[0] or f"call_{i}", c[1], c[2]) for i, c in sorted(calls.items())]
        return Answer("".join(text), made, usage)

    def scrubbed(self, text: str) -> str:
        """The text with the key removed."""
        return text.replace(self._key, "[redacted key]") if len(self._key) >= 8 else text

    def _trouble(self, error: BaseException) -> Trouble:
        """Converts an exception of litellm; the message never contains the key."""
        known = _litellm().exceptions
        why = self.scrubbed(f"{type(error).__name__}: {error}")[:300]
        status = getattr(error, "status_code", None)
        answered = getattr(error, "litellm_response_headers", None) is not None
        free = answered or _never_sent(error)
        if isinstance(error, known.Timeout):
            return Trouble("timeout", why, again=True, free=free)
        if status == 429:
            return Trouble("rate_limited", why, again=True, free=free, retry_after=_retry_after(error))
        if isinstance(error, known.MidStreamFallbackError):
            return Trouble("cut", why, again=True)
        if isinstance(status, int) and (status >= 500 or status in (408, 409)):
            return Trouble("error", why, again=True, free=free, retry_after=_retry_after(error))
        return Trouble("error", why, free=free)


def _litellm() -> Any:
    """litellm, imported once, with every feature off that makes requests, stores or prints anything by itself."""
    os.environ["LITELLM_MODE"] = "PRODUCTION"  # otherwise it loads a .env file
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # otherwise it downloads the price table
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import litellm
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.drop_params = False
    litellm.cache = None
    litellm.callbacks = litellm.success_callback = litellm.failure_callback = []
    return litellm


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _never_sent(error: BaseException) -> bool:
    """Whether no connection was made, so that the attempt cannot be billed."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        if type(at).__name__ in ("ConnectError", "ConnectTimeout"):
            return True
        seen.add(id(at))
        at = at.__cause__ or at.__context__
    return False


def _retry_after(error: BaseException) -> float | None:
    """The Retry-After header (a number or an HTTP date) in seconds from now."""
    for headers in (
        getattr(error, "litellm_response_headers", None),
        getattr(getattr(error, "response", None), "headers", None),
    ):
        text = (headers or {}).get("retry-after", "")
        if not text:
            continue
        try:
            return max(0.0, float(text))
        except ValueError:
            pass
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
        except ValueError:
            return None
    return None
