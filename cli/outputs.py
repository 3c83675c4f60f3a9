"""What each verb prints as `data` in JSON mode, as types. Fields are only ever added."""

from __future__ import annotations

from typing import Any

import msgspec


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every record that a script may rely on. Times are RFC 3339 UTC with microseconds."""


class VersionOut(Output, frozen=True, kw_only=True):
    version: str


class DaemonOut(Output, frozen=True, kw_only=True):
    running: bool
    pid: int | None


class RepoOut(Output, frozen=True, kw_only=True):
    """state: watching | degraded | lost | stopped; the rest counts directories. `held_by`: the other home whose daemon
    has the repository, on a shared log; to this one it is `stopped` then. `why`: the reason that it is degraded or
    lost, and what to do about it."""

    path: str
    state: str
    directories: int
    watched: int
    polled: int
    ignored: int
    held_by: str | None = None
    why: str | None = None


class LogOut(Output, frozen=True, kw_only=True):
    head: int
    sealed_upto: int
    bytes: int
    events: int


class InboxCount(Output, frozen=True, kw_only=True):
    pending: int
    deferred: int = 0


class TodayOut(Output, frozen=True, kw_only=True):
    model_calls: int
    spent_usd: float
    turns: int


class StatusOut(Output, frozen=True, kw_only=True):
    daemon: DaemonOut
    repos: list[RepoOut]
    log: LogOut
    inbox: InboxCount
    today: TodayOut
    paused: bool = False


class ActionOut(Output, frozen=True, kw_only=True):
    """kind: patch | command | note."""

    kind: str
    text: str | None = None


class ProposalOut(Output, frozen=True, kw_only=True):
    """risk: low | medium | high | urgent; `evidence` are event positions; `why_now` is the boundary."""

    id: str
    digest: str
    title: str
    risk: str
    state: str
    engine: str
    detector: str
    repo: str
    evidence: list[int]
    action: ActionOut
    raised_at: str
    expires_at: str
    why_now: str
    deferred_until: str | None = None


class BaseOut(Output, frozen=True, kw_only=True):
    """The file that a patch was made from; `sha` (SHA-256) and `mode` are null where there is none."""

    path: str
    sha: str | None
    mode: int | None


class EffectsOut(Output, frozen=True, kw_only=True):
    files: list[str]
    added: int
    removed: int
    commands: list[list[str]]
    network: bool
    reversible: bool


class VerificationOut(Output, frozen=True, kw_only=True):
    ok: bool
    check: list[str]
    exit: int | None
    output: str
    seconds: float
    why: str


class CardOut(ProposalOut, frozen=True, kw_only=True):
    claim: str
    patch: str | None
    argv: list[str] | None
    base: list[BaseOut]
    effects: EffectsOut
    verification: VerificationOut | None
    unchecked: list[str]
    drift: list[str]
    cost_usd: float
    policy_version: str
    positions: list[int]


class DecidedOut(Output, frozen=True, kw_only=True):
    """`positions`: the events that the decision led to so far."""

    id: str
    state: str
    positions: list[int]


class UndoneOut(Output, frozen=True, kw_only=True):
    """`kept`: files in which later edits of the user were kept."""

    id: str
    state: str
    positions: list[int]
    files: list[str]
    kept: list[str]


class StepOut(Output, frozen=True, kw_only=True):
    position: int
    type: str
    at: str
    summary: str


class HeldOut(Output, frozen=True, kw_only=True):
    """What stayed silent: `subject` is a proposal id, a finding's key or `turn`; `until` null: for good."""

    position: int
    at: str
    repo: str
    subject: str
    why: str
    rule: str
    until: str | None
    detector: str


class EventOut(Output, frozen=True, kw_only=True):
    """One line of `log`. origin: live | offline | self | baseline | history | user | system."""

    position: int
    type: str
    v: int
    at: str
    stream: str
    version: int
    caused_by: int | None
    correlation: int
    origin: str
    data: dict[str, Any]


class FileOut(Output, frozen=True, kw_only=True, omit_defaults=True):
    """One line of `files`: exactly one of `path` and `path_b64` (a name that is not UTF-8)."""

    kind: str
    size: int | None
    mode: int | None
    mtime_ns: int | None
    path: str | None = None
    path_b64: str | None = None


class ProblemOut(Output, frozen=True, kw_only=True, omit_defaults=True):
    what: str
    position: int | None = None
    segment: str | None = None


class VerifyOut(Output, frozen=True, kw_only=True):
    ok: bool
    head: int
    hash: str
    problems: list[ProblemOut]


class AnchorOut(Output, frozen=True, kw_only=True):
    position: int
    hash: str


class ReplayOut(Output, frozen=True, kw_only=True):
    """`projections`: the digest of each fold from nothing; `identical`: all equal the saved ones."""

    events: int
    seconds: float
    projections: dict[str, str]
    identical: bool


class ThenOut(Output, frozen=True, kw_only=True):
    """How things stood when the log ended at `position`. Spending is that of the local day of `at`."""

    position: int
    at: str | None
    pending: list[ProposalOut]
    deferred: int
    memories: dict[str, int]
    model_calls: int
    spent_usd: float
    turns: int


class ForgottenOut(Output, frozen=True, kw_only=True):
    """`positions`: whose payloads were excised now; `position`: where the log says so; `left`: files of yours in the
    home that still name it; `seen`: paths that are still on disk and will be seen again."""

    positions: list[int]
    position: int | None
    segments: int
    left: list[str]
    seen: list[str]


class MovedOut(Output, frozen=True, kw_only=True):
    """How many events went out of or into the log, and the hash of the last."""

    events: int
    hash: str


class ToolOut(Output, frozen=True, kw_only=True):
    name: str
    level: int
    schema: dict[str, Any]
    description: str = ""


class SandboxChangeOut(Output, frozen=True, kw_only=True, omit_defaults=True):
    """`mode` as git writes it, null for what is gone."""

    kind: str
    mode: str | None
    path: str | None = None
    path_b64: str | None = None


class SandboxRefusedOut(Output, frozen=True, kw_only=True, omit_defaults=True):
    why: str
    path: str | None = None
    path_b64: str | None = None


class SandboxOut(Output, frozen=True, kw_only=True):
    """`exit` null when a signal ended it; `stopped` names the limit that did; `truncated` counts bytes cut."""

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


class InitOut(Output, frozen=True, kw_only=True):
    """`commits`: imported by this call; `findings`: what was wrong before Kairos came, listed and never raised."""

    path: str
    repo: str
    new: bool
    entries: int
    commits: int
    findings: list[str]


class UnwatchOut(Output, frozen=True, kw_only=True):
    path: str
    repo: str
    position: int


class RunningOut(Output, frozen=True, kw_only=True):
    running: bool
    pid: int | None


class PauseOut(Output, frozen=True, kw_only=True):
    paused: bool
    until: str | None
    position: int | None


class MuteOut(Output, frozen=True, kw_only=True):
    detector: str
    repo: str | None
    muted: bool
    position: int


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


class ErrorBody(Output, frozen=True, kw_only=True):
    code: int
    name: str
    message: str
    hint: str


class ErrorOut(Output, frozen=True, kw_only=True):
    error: ErrorBody
