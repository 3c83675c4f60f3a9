"""Answers about turns."""

from __future__ import annotations

from kairos.desk.records.base import Output


class TurnOut(Output, frozen=True, kw_only=True):
    """One turn. `position`: of its first event; `at`: when it began; `repo`: the repository's root, `repo_id` its id;
    `outcome`: quiet | proposed | interrupted | failed | parked | stopped, null while it runs; `usd`: what its calls
    cost, reserved money included; `seconds`: how long it took, null while it runs."""

    turn: str
    position: int
    at: str
    repo: str | None
    repo_id: str
    engine: str
    boundary: str
    detectors: list[str]
    outcome: str | None
    why: str
    proposals: list[str]
    model_calls: int
    usd: float
    seconds: float | None


class CallOut(Output, frozen=True, kw_only=True):
    """One attempt of a model call. `outcome`: ok | rate_limited | error | timeout | garbage | cut | length | filtered |
    stopped, null while nobody knows; then `usd` is what is reserved. `request`: the SHA-256 of what was sent."""

    position: int
    at: str
    call: int
    attempt: int
    model: str
    outcome: str | None
    usd: float
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    why: str
    anomaly: str
    request: str


class ToolUseOut(Output, frozen=True, kw_only=True):
    """A tool that changed the scratch tree of a turn or ran something on it, after a call of the model. `outcome`:
    done | refused | failed."""

    position: int
    at: str
    call: int
    tool: str
    what: str
    outcome: str
    why: str
    seconds: float


class TurnShownOut(Output, frozen=True, kw_only=True):
    """A turn with its calls and with what it did in its scratch tree, oldest first; `cause`: the position of the event
    that started it, null if unknown."""

    turn: TurnOut
    calls: list[CallOut]
    tools: list[ToolUseOut]
    cause: int | None
