"""The only port to a model, with litellm for calls and stamina for retries. Both are imported only for a call.

One attempt is one HTTP request: every other retry, cache, callback and fallback is off. An attempt runs in a thread
that is waited for with deadlines of its first token, of the next one and of the whole turn, because a server that sends
one byte from time to time never causes a socket timeout.
"""

from __future__ import annotations

import ipaddress
import os
import queue
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from kairos.agent.streaming import Streamed, usage_of
from kairos.agent.text_tools import answer_format, calls_of, described
from kairos.agent.trouble import Answer, Trouble, retry_after
from kairos.domain.budget import Price
from kairos.errors import UsageError
from kairos.settings import Model

ATTEMPTS = 3
Message = dict[str, Any]


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
            return Price(input=own[0], output=own[1], cached=self._settings.cached_usd_per_million)
        if own == (None, None) and _is_loopback(self._settings.base_url):
            return Price(input=0.0, output=0.0)
        if own == (None, None) and not self._settings.base_url:
            known = _litellm().model_cost
            for name in (self.target, self.target.partition("/")[2]):
                entry = known.get(name, {})
                if "input_cost_per_token" in entry and "output_cost_per_token" in entry:
                    return Price(
                        input=entry["input_cost_per_token"] * 1e6, output=entry["output_cost_per_token"] * 1e6,
                        cached=_cached_price(entry, self._settings.cached_usd_per_million),
                    )  # fmt: skip
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
        """One attempt, in a thread. Once a part of the answer has come, what goes wrong is never tried again."""
        streamed = Streamed()
        if streamed.at >= deadline:
            raise Trouble("timeout", "no time is left")
        box: queue.SimpleQueue[Answer | BaseException | None] = queue.SimpleQueue()
        given_up = threading.Event()

        def work() -> None:
            try:
                box.put(self._stream(messages, tools, streamed, given_up, lambda: box.put(None)))
            except BaseException as error:  # noqa: BLE001 - carried to the waiting thread
                box.put(error)

        threading.Thread(target=work, name="model call", daemon=True).start()
        try:
            with halt.waiting():
                got = self._awaited(box, streamed, deadline)
        finally:
            given_up.set()
        if isinstance(got, Answer):
            return got
        trouble = got if isinstance(got, Trouble) else self._trouble(got)
        raise (trouble.after_tokens() if streamed.flowed else trouble) from (None if trouble is got else got)

    def _awaited(
        self, box: queue.SimpleQueue[Answer | BaseException | None], streamed: Streamed, deadline: float
    ) -> Answer | BaseException:
        """What the attempt put into the box; a timeout once its first token, its next one or the turn is too late. None
        in the box: the first token is here, and another patience begins."""
        while True:
            flowed, seconds = streamed.flowed, self._patience(streamed)
            until = min(streamed.at + seconds, deadline)
            try:
                got = box.get(timeout=max(until - time.monotonic(), 0.001))
                if got is not None:
                    return got
            except queue.Empty:
                if time.monotonic() >= deadline:
                    return Trouble("timeout", "no complete answer before the end of the turn", again=True)
                if streamed.flowed == flowed and time.monotonic() >= streamed.at + seconds:
                    what = "nothing more" if flowed else "nothing"
                    return Trouble("timeout", f"{what} came within {seconds:g} s", again=True)

    def _patience(self, streamed: Streamed) -> float:
        """Seconds to wait for the next part of an answer."""
        return self._settings.idle_seconds if streamed.flowed else self._settings.first_token_seconds

    def _stream(
        self, messages: list[Message], tools: list[Message], streamed: Streamed, given_up: threading.Event,
        begins: Callable[[], None],
    ) -> Answer:  # fmt: skip
        # The timeout of the socket only ends a thread that nobody waits for any more.
        socket_s = max(self._settings.first_token_seconds, self._settings.idle_seconds) + 5
        most = self._settings.max_output_tokens
        native = self._settings.tools == "native"
        given: Message = {"messages": messages, "tools": tools}
        if not native:
            given = {"messages": described(messages, tools), "response_format": answer_format(tools)}
        stream = _litellm().completion(
            model=self.target, **given, stream=True, stream_options={"include_usage": True},
            api_key=self._key or "none", api_base=self._settings.base_url or None,
            max_tokens=most, timeout=socket_s, num_retries=0, max_retries=0,
            drop_params=False, caching=False, _skip_mcp_handler=True,
        )  # fmt: skip
        try:
            for chunk in stream:
                waits = not streamed.flowed
                streamed.add(chunk)
                if waits and streamed.flowed:
                    begins()
                if given_up.is_set():
                    raise Trouble("stopped", "nobody waits for the answer any more")
        except Trouble:
            with suppress(Exception):
                stream.completion_stream.close()
            raise
        # litellm makes up a finish reason if the server sent none: use only what was received.
        ended = stream.received_finish_reason or getattr(stream, "intermittent_finish_reason", None)
        answer = streamed.answer(ended, usage_of(stream.chunks), most)
        calls = [] if native else calls_of(answer.text)
        return Answer("", calls, answer.usage) if calls else answer

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
        code, wait = status if isinstance(status, int) else 0, retry_after(_headers(error))
        if isinstance(error, known.Timeout):
            return Trouble("timeout", why, again=True, free=free)
        if status == 429:
            return Trouble("rate_limited", why, again=True, free=free, retry_after=wait, status=code)
        if isinstance(error, known.MidStreamFallbackError):
            return Trouble("cut", why, again=True)
        if code >= 500 or code in (408, 409):
            return Trouble("error", why, again=True, free=free, retry_after=wait, status=code)
        return Trouble("error", why, free=free, status=code)


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


def _cached_price(entry: Mapping[str, Any], own: float | None) -> float | None:
    """The price of a million stored input tokens: a person's, else that of the built-in table, None if unknown."""
    known = entry.get("cache_read_input_token_cost")
    return own if own is not None else float(known) * 1e6 if isinstance(known, int | float) else None


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


def _headers(error: BaseException) -> Mapping[str, str]:
    """The headers of the answer that an exception of litellm is about."""
    for headers in (
        getattr(error, "litellm_response_headers", None),
        getattr(getattr(error, "response", None), "headers", None),
    ):
        if headers:
            return {str(k).lower(): str(v) for k, v in headers.items()}
    return {}
