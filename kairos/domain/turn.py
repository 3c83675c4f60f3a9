"""A turn with a model as a state machine: a signal comes in, effects go out. No IO, no clock.

Every turn ends: after a proposal, a `nothing`, a stop, a park, a failure, or its last call. After one malformed answer
the model is asked to correct it; the second ends the turn.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from kairos.domain.amounts import count

TOOLS_AT_ONCE = 8

Outcome = Literal["quiet", "proposed", "failed", "parked", "stopped"]


class _Value(msgspec.Struct, frozen=True):
    """Base of every signal and effect."""


# What the model asked for in one answer, already decoded under the tools' schemas.
class Quote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A passage that the model rests its claim on; it must occur in that file."""

    path: str
    text: str


class FileChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`old_text` occurs exactly once in the file and becomes `new_text`."""

    path: str
    old_text: str
    new_text: str


class Patch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A proposed change as the model states it, not yet checked against the tree. Without `files` it is what the turn
    changed in its scratch tree; with some, these are changed as well."""

    title: str
    claim: str
    files: list[FileChange] = []
    evidence: list[Quote] = []


class Using(_Value, frozen=True):
    """A call of a tool that answers at once: it reads, or works on the scratch tree. `arguments` conform to its
    schema; `changes`: it may change the scratch tree."""

    id: str
    tool: str
    arguments: dict[str, Any]
    changes: bool = False


class Proposing(_Value, frozen=True):
    id: str
    patch: Patch


class Declining(_Value, frozen=True):
    """The model found nothing worth a proposal."""

    id: str


class Malformed(_Value, frozen=True):
    """A call that no tool can take: unknown name, broken JSON, wrong fields."""

    id: str
    why: str


Request = Using | Proposing | Declining | Malformed


# Signals.
class Started(_Value, frozen=True):
    pass


class Answered(_Value, frozen=True):
    """The model answered with these requests; none if it answered with text only."""

    requests: list[Request]


class Garbled(_Value, frozen=True):
    """The answer could not be read at all."""

    why: str


class UseDone(_Value, frozen=True):
    pass


class Accepted(_Value, frozen=True):
    """The patch fits the tree."""


class Refused(_Value, frozen=True):
    """The patch does not fit the tree."""

    id: str
    why: str


class Ceased(_Value, frozen=True):
    """An external cause ends the turn: budget (parked), stop or pause (stopped), deadline or failure (failed)."""

    outcome: Outcome
    why: str


Signal = Started | Answered | Garbled | UseDone | Accepted | Refused | Ceased


# Effects, to be done in order.
class Ask(_Value, frozen=True):
    """Call the model; `final`: only the answering tools are offered."""

    final: bool


class Use(_Value, frozen=True):
    """Run these tools in order, answer each; then signal UseDone."""

    requests: list[Using]


class CheckPatch(_Value, frozen=True):
    """Check the patch against the tree; then signal Accepted or Refused."""

    request: Proposing


class Reply(_Value, frozen=True):
    """Answer a tool call with an error, in words for the model."""

    id: str
    text: str


class Say(_Value, frozen=True):
    """Send the model a message outside of a tool call."""

    text: str


class End(_Value, frozen=True):
    outcome: Outcome
    why: str


Effect = Ask | Use | CheckPatch | Reply | Say | End


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """The state: the calls made (at most `limit`), whether the one correction is used, and how the turn ended."""

    limit: int
    calls: int = 0
    corrected: bool = False
    ended: Outcome | None = None


def handle(turn: Turn, signal: Signal) -> tuple[Turn, list[Effect]]:
    """The next state and what to do. An ended turn does nothing more."""
    if turn.ended is not None:
        return turn, []
    match signal:
        case Started() | UseDone():
            return _ask(turn, [])
        case Answered(requests):
            return _answered(turn, requests)
        case Garbled(why):
            return _correct(turn, [Say(f"Your last answer could not be read ({why}). Answer with one tool call.")], why)
        case Refused(id, why):
            return _correct(turn, [Reply(id, f"Refused: {why}. Correct it, or call `nothing`.")], why)
        case Accepted():
            return _end(turn, "proposed", "")
        case Ceased(outcome, why):
            return _end(turn, outcome, why)


def _answered(turn: Turn, requests: list[Request]) -> tuple[Turn, list[Effect]]:
    if not requests:
        words = "Answer with a tool call: `propose_patch`, or `nothing` when there is nothing worth proposing."
        return _correct(turn, [Say(words)], "the model answered without a tool call")
    uses = [r for r in requests if isinstance(r, Using)]
    answers = [r for r in requests if isinstance(r, Proposing | Declining)]
    wrong = [r for r in requests if isinstance(r, Malformed)]
    if wrong or len(answers) > 1:
        why = wrong[0].why if wrong else "more than one final answer: at most one proposal a turn"
        effects: list[Effect] = [Reply(r.id, f"Refused: {r.why}.") for r in wrong]
        effects += [Reply(a.id, f"Not taken: {why}.") for a in answers]
        effects += [Reply(r.id, "Not done: correct the other call first.") for r in uses]
        return _correct(turn, effects, why)
    if answers:
        answer = answers[0]
        if isinstance(answer, Declining):
            return _end(turn, "quiet", "")
        if not any(r.changes for r in uses):
            return turn, [*(Reply(r.id, "Not done: the proposal is looked at.") for r in uses), CheckPatch(answer)]
        early = [Reply(answer.id, "Not taken yet: the other calls come first. Propose again when you know them.")]
    else:
        early = []
    late = [Reply(r.id, f"Not done: at most {TOOLS_AT_ONCE} at once.") for r in uses[TOOLS_AT_ONCE:]]
    return turn, [*early, *late, Use(uses[:TOOLS_AT_ONCE])]


def _correct(turn: Turn, effects: list[Effect], why: str) -> tuple[Turn, list[Effect]]:
    if turn.corrected:
        return _end(turn, "failed", f"wrong twice: {why}")
    return _ask(msgspec.structs.replace(turn, corrected=True), effects)


def _ask(turn: Turn, effects: list[Effect]) -> tuple[Turn, list[Effect]]:
    if turn.calls >= turn.limit:
        return _end(turn, "failed", f"{count(turn.calls, 'call')} and no answer")
    asked = msgspec.structs.replace(turn, calls=turn.calls + 1)
    return asked, [*effects, Ask(final=asked.calls == turn.limit)]


def _end(turn: Turn, outcome: Outcome, why: str) -> tuple[Turn, list[Effect]]:
    return msgspec.structs.replace(turn, ended=outcome), [End(outcome, why)]
