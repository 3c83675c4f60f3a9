"""Answers about Kairos itself: control, settings, tools, confinement."""

from __future__ import annotations

from typing import Any

from kairos.desk.records.base import Output


class VersionOut(Output, frozen=True, kw_only=True):
    version: str


class PauseOut(Output, frozen=True, kw_only=True):
    """`repo`: the root of the one repository that is paused; null if everything is. `resumed`: whose pauses `resume`
    ended, by root; null for that of everything."""

    paused: bool
    until: str | None
    position: int | None
    repo: str | None = None
    resumed: list[str | None] = []


class SpentOut(Output, frozen=True, kw_only=True):
    """What the model calls of one day, repository, kind of turn or model cost. `reserved`: how many of them are not
    reconciled and count with the worst case. `repo` and `path`: the id and the root, where `name` is a repository."""

    name: str
    model_calls: int
    usd: float
    input_tokens: int
    output_tokens: int
    reserved: int
    repo: str | None = None
    path: str | None = None


class CostOut(Output, frozen=True, kw_only=True):
    """`since`: the first local day."""

    since: str
    total: SpentOut
    by_day: list[SpentOut]
    by_repo: list[SpentOut]
    by_kind: list[SpentOut]
    by_model: list[SpentOut]


class MuteOut(Output, frozen=True, kw_only=True):
    """`held`: findings that the mute holds back, or held until now; `lift`: the command that ends the mute, null if
    it ended; `muted_still`: another mute of the detector, of one repository or of all, is still in force."""

    detector: str
    repo: str | None
    muted: bool
    position: int
    held: int = 0
    lift: str | None = None
    muted_still: bool = False


class ModelOut(Output, frozen=True, kw_only=True):
    """The configured model. state: ready | key_refused | waiting (not called before `until`) | held (its turns are not
    started) | failed | parked (its last turn was); `why` in plain words, `remedy`: what a person can do."""

    name: str
    state: str
    why: str = ""
    until: str | None = None
    remedy: str = ""


class MutedOut(Output, frozen=True, kw_only=True):
    """A mute in force. `repo`: the root of the one repository, null for all; `since` and `position`: when it was said,
    null if that is not known any more; `held`: findings that it holds back; `lift`: the command that ends it."""

    detector: str
    repo: str | None
    since: str | None
    position: int | None
    held: int
    lift: str


class ConfigOut(Output, frozen=True, kw_only=True):
    key: str
    value: Any


class PathOut(Output, frozen=True, kw_only=True):
    path: str


class ServiceOut(Output, frozen=True, kw_only=True):
    path: str
    installed: bool
    unit: str
    enable: str


class CheckOut(Output, frozen=True, kw_only=True):
    """state: ok | warning | problem."""

    name: str
    state: str
    what: str
    hint: str
    fixed: bool


class DoctorOut(Output, frozen=True, kw_only=True):
    ok: bool
    checks: list[CheckOut]


class CompletionOut(Output, frozen=True, kw_only=True):
    shell: str
    script: str


class DemoOut(Output, frozen=True, kw_only=True):
    ok: bool
    seconds: float
    steps: list[str]


class ToolOut(Output, frozen=True, kw_only=True):
    name: str
    level: int
    schema: dict[str, Any]
    description: str = ""


class SandboxChangeOut(Output, frozen=True, kw_only=True, omit_defaults=True):
    """`mode` as git writes it, null for a deleted file."""

    kind: str
    mode: str | None
    path: str | None = None
    path_b64: str | None = None


class SandboxRefusedOut(Output, frozen=True, kw_only=True, omit_defaults=True):
    why: str
    path: str | None = None
    path_b64: str | None = None


class SandboxOut(Output, frozen=True, kw_only=True):
    """`exit` null when a signal ended it; `stopped` names the limit that was exceeded; `truncated` counts the bytes cut
    from the output."""

    exit: int | None
    signal: int | None
    timed_out: bool
    stopped: str | None
    stdout: str
    stderr: str
    truncated: int
    tier: str
    layers: list[str]
    missing: list[str]
    seconds: float
    changes: list[SandboxChangeOut]
    refused: list[SandboxRefusedOut]


class ErrorBody(Output, frozen=True, kw_only=True):
    code: int
    name: str
    message: str
    hint: str


class ErrorOut(Output, frozen=True, kw_only=True):
    error: ErrorBody
