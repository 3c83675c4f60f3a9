"""A scripted model server on loopback: it speaks the OpenAI chat-completions and the Anthropic messages wire formats
over real HTTP and answers each request with the next step of a script.

`ScriptedModel.received` holds every request as it came: (path, headers, body bytes). A request beyond the script is
answered with 418, which no client retries, and is recorded like the others.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

Event = dict[str, Any]


class Received(NamedTuple):
    """One request as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Step:
    """One answer. `tools`: (name, arguments as the text to send); `piece`: characters of text or JSON a chunk;
    `cut`: close the connection after so many chunks; `stall`: send nothing more after so many; `drip_s`: seconds
    between chunks; `hang`: never answer; `finish`: the reason why the answer ended, in the words of the wire format;
    `cached`: tokens of the input that were stored before."""

    text: str = ""
    tools: Sequence[tuple[str, str]] = ()
    usage: tuple[int, int] | None = (1000, 100)
    cached: int = 0
    finish: str = ""
    piece: int = 7
    status: int = 200
    retry_after: str = ""
    retry_after_ms: str = ""
    raw: bytes | None = None
    cut: int | None = None
    stall: int | None = None
    drip_s: float = 0.0
    hang: bool = False
    before: threading.Event | None = None
    reached: threading.Event = field(default_factory=threading.Event)


class ScriptedModel:
    """A context manager; `base_url` is what an OpenAI-compatible client is given."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.received: list[Received] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.script = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def base_url(self) -> str:
        return f"{self.address}/v1"

    def __enter__(self) -> ScriptedModel:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    # ---- writing the script
    def says(self, text: str, **more: Any) -> Step:
        return self._add(Step(text=text, **more))

    def calls(self, *tools: tuple[str, Any], **more: Any) -> Step:
        """Tool calls; arguments that are not text are sent as JSON."""
        texts = [(n, a if isinstance(a, str) else json.dumps(a)) for n, a in tools]
        return self._add(Step(tools=texts, **more))

    def fails(self, status: int, retry_after: str = "", retry_after_ms: str = "") -> Step:
        return self._add(Step(status=status, retry_after=retry_after, retry_after_ms=retry_after_ms))

    def hangs(self) -> Step:
        return self._add(Step(hang=True))

    def drips(self, seconds: float = 0.05) -> Step:
        """Sends a little text again and again and never ends."""
        return self._add(Step(text="and so on " * 100_000, drip_s=seconds))

    def garbles(self, body: bytes = b"<html>not a model</html>\n\n") -> Step:
        return self._add(Step(raw=body))

    def _add(self, step: Step) -> Step:
        self.steps.append(step)
        return step

    def take(self, received: Received) -> Step:
        with self._lock:
            self.received.append(received)
            place = len(self.received) - 1
            return self.steps[place] if place < len(self.steps) else Step(status=418)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the tests read `received`."""

    def do_POST(self) -> None:
        script: ScriptedModel = self.server.script  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        step = script.take(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        step.reached.set()
        self.close_connection = True
        if step.before is not None:
            step.before.wait(90)
        if step.hang:
            script.closing.wait()  # longer than a test may take
            return
        try:
            self._answer(script, step, self.path.endswith("/messages"))
        except (BrokenPipeError, ConnectionResetError):
            return

    def _answer(self, script: ScriptedModel, step: Step, anthropic: bool) -> None:
        if step.status != 200:
            waits = {"Retry-After": step.retry_after, "Retry-After-Ms": step.retry_after_ms}
            self._plain(step.status, _error(step.status, anthropic), {k: v for k, v in waits.items() if v})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if step.raw is not None:
            self._chunk(step.raw)
            self._chunk(b"")
            return
        for number, event in enumerate(_anthropic(step) if anthropic else _openai(step)):
            if step.cut is not None and number >= step.cut:
                return
            if step.stall is not None and number >= step.stall:
                script.closing.wait()
                return
            if step.drip_s and script.closing.wait(step.drip_s):
                return
            name = f"event: {event['type']}\n" if anthropic else ""
            self._chunk(f"{name}data: {json.dumps(event)}\n\n".encode())
        if not anthropic:
            self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _plain(self, status: int, body: Event, headers: dict[str, str]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


def _error(status: int, anthropic: bool) -> Event:
    kind = {429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}.get(status, "invalid_request_error")
    error = {"type": kind, "message": f"scripted {status}"}
    return {"type": "error", "error": error} if anthropic else {"error": error}


def _pieces(text: str, size: int) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


def _openai(step: Step) -> Iterator[Event]:
    """Chunks as OpenAI streams them: tool arguments in pieces, parallel tools by index, usage in a last chunk."""

    def chunk(delta: Event, finish: str | None = None) -> Event:
        return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "scripted",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}  # fmt: skip

    yield chunk({"role": "assistant", "content": "" if step.text else None})
    for piece in _pieces(step.text, step.piece):
        yield chunk({"content": piece})
    for index, (name, arguments) in enumerate(step.tools):
        head = {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
        yield chunk({"tool_calls": [head]})
        for piece in _pieces(arguments, step.piece):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, step.finish or ("tool_calls" if step.tools else "stop"))
    if step.usage is not None:
        used, made = step.usage
        yield {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": [],
               "usage": {"prompt_tokens": used, "completion_tokens": made, "total_tokens": used + made,
                         "prompt_tokens_details": {"cached_tokens": step.cached}}}  # fmt: skip


def _anthropic(step: Step) -> Iterator[Event]:
    """Events as Anthropic streams them: a block a text or tool, input JSON in pieces, usage at start and end."""
    used, made = step.usage or (0, 0)
    message: Event = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": used - step.cached, "output_tokens": 1, "cache_read_input_tokens": step.cached},
    }
    yield {"type": "message_start", "message": message}
    blocks: list[tuple[Event, str, str, str]] = []
    if step.text:
        blocks.append(({"type": "text", "text": ""}, "text_delta", "text", step.text))
    for number, (name, arguments) in enumerate(step.tools):
        start = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}}
        blocks.append((start, "input_json_delta", "partial_json", arguments))
    for index, (start, kind, key, content) in enumerate(blocks):
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for piece in _pieces(content, step.piece):
            yield {"type": "content_block_delta", "index": index, "delta": {"type": kind, key: piece}}
        yield {"type": "content_block_stop", "index": index}
    stop = step.finish or ("tool_use" if step.tools else "end_turn")
    yield {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None},
           "usage": {"output_tokens": made}}  # fmt: skip
    yield {"type": "message_stop"}
