"""The input and output of a worker, and the decoding of the model's tool calls. All decoding is strict.

Cheap to import, because the daemon uses it, too.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, TypeVar

import msgspec

from kairos.contract import problems
from kairos.domain.finding import Finding
from kairos.domain.turn import Declining, Malformed, Outcome, Patch, Proposing, Request, Using
from kairos.eventlog.record import Fence

S = TypeVar("S", bound=msgspec.Struct)
_WHY_AT_MOST = 1_000
REVIEW, EXPLAIN = "review-change", "explain-failure"
FILES_AT_MOST, TEXT_AT_MOST, QUOTES_AT_MOST = 20, 64_000, 10


class Failure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A check that is red: its cases, the last lines that it said just now, and the commit that made it red (empty if
    that is not known)."""

    check: str
    cases: list[str]
    output: str
    culprit: str = ""


class Assignment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The worker's standard input: the turn, the repository, the trigger, the positions of its evidence, and the leases
    under which it appends to a shared log.

    `proposal`: the one whose comments the turn answers, `failure`: the red check that it explains; with neither it
    reviews a change. `commit`: the one that the turn is about, of which its scratch tree is made; HEAD if it is empty.
    `level`: of the tools that it may call, 0 reads, 1 works on the scratch tree."""

    turn: str
    repo: str
    root: str
    boundary: str
    cause: int
    evidence: list[int] = []
    proposal: str = ""
    failure: Failure | None = None
    commit: str = ""
    level: int = 1
    fences: list[Fence] = []

    @property
    def kind(self) -> str:
        """The kind of the turn, which is the detector of what it proposes; empty for an answer to a comment."""
        if self.proposal:
            return ""
        return EXPLAIN if self.failure is not None else REVIEW


class Result(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The last line of the worker's standard output. `finding` is set only if `outcome` is `proposed`;
    `patches`: hashes of the patches of the commits that were looked at."""

    turn: str
    outcome: Outcome
    why: str = ""
    finding: Finding | None = None
    patches: list[str] = []
    spent_microusd: int = 0
    micros: int = 0


class ToolCall(msgspec.Struct, frozen=True):
    """A tool call as received from the model: `arguments` is the raw JSON text."""

    id: str
    name: str
    arguments: str


def parse_result(stdout: bytes) -> Result:
    """The worker's result. ValueError if the last line is not a result, because the worker was interrupted."""
    lines = stdout.strip().splitlines()
    if not lines:
        raise ValueError("the worker printed nothing")
    try:
        result = msgspec.json.decode(lines[-1], type=Result)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"the worker's last line is not a result: {error}") from error
    if (result.outcome == "proposed") != (result.finding is not None):
        raise ValueError("a finding comes with the outcome `proposed`, and only with it")
    return result


def requests_of(
    calls: list[ToolCall], tools: Mapping[str, type[msgspec.Struct]], changing: Container[str] = ()
) -> list[Request]:
    """Decodes each call with its tool's schema; a call that cannot be decoded becomes Malformed with the reason.
    `changing`: the tools that may change the scratch tree."""
    return [_request(call, tools, changing) for call in calls]


def _request(call: ToolCall, tools: Mapping[str, type[msgspec.Struct]], changing: Container[str]) -> Request:
    raw = call.arguments.strip() or "{}"
    try:
        arguments: Any = msgspec.json.decode(raw)
        if not isinstance(arguments, dict):
            return Malformed(call.id, f"the arguments of {call.name[:40]} are not an object")
        if call.name == "propose_patch":
            return Proposing(call.id, _bounded(_shaped(arguments, Patch)))
        if call.name == "nothing":
            return Declining(call.id)
        if call.name in tools:
            given = msgspec.structs.asdict(_shaped(arguments, tools[call.name]))
            return Using(call.id, call.name, given, call.name in changing)
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError) as error:
        return Malformed(call.id, f"the arguments of {call.name} are wrong: {str(error)[:_WHY_AT_MOST]}")
    return Malformed(call.id, f"there is no tool `{call.name[:40]}`")


def _shaped(arguments: dict[str, Any], shape: type[S]) -> S:
    """The arguments as a struct. ValueError that names everything that is wrong, so that one correction is enough."""
    try:
        return msgspec.convert(arguments, shape)
    except msgspec.ValidationError as error:
        found = [str(fault) for fault in problems(arguments, shape)]
        raise ValueError("; ".join(found) or str(error)) from error


def _bounded(patch: Patch) -> Patch:
    """Returns the patch if its sizes are within the limits. ValueError otherwise."""
    if not patch.title.strip() or not patch.claim.strip():
        raise ValueError("title and claim must not be empty")
    if len(patch.files) > FILES_AT_MOST:
        raise ValueError(f"files has at most {FILES_AT_MOST} entries")
    if len(patch.evidence) > QUOTES_AT_MOST:
        raise ValueError(f"evidence has at most {QUOTES_AT_MOST} entries")
    if sum(len(f.old_text) + len(f.new_text) for f in patch.files) > TEXT_AT_MOST:
        raise ValueError(f"at most {TEXT_AT_MOST} characters of text in one patch")
    return patch
