"""The decisions on one proposal that can be taken back, and those that were: a stack with a redo line. Pure.

    done      the decisions that are in effect, oldest first; the last one is taken back first
    undone    the redo line: the decisions that were taken back, the last one is made again first

A new decision empties the redo line. A decision that ended by itself (a deferral that is over, an approval that
expired, failed or was made void by a revision, a proposal that was closed or opened again) leaves the stack: nothing of
it is in effect. A deferral lasts while the proposal is parked.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from kairos.domain import events as ev
from kairos.domain.events import Event

What = Literal["approve", "acknowledge", "reject", "defer", "edit"]
_UNDECIDED = ("raised", "pending")
_MOST = 64
"""How many decisions on one proposal can be taken back; older ones leave the stack."""


class DecisionState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a decision changes in a proposal. `parked`, `parked_from`: as in the proposal, if it was parked."""

    state: str
    approved: ev.ProposalApproved | None = None
    rejected: ev.ProposalRejected | None = None
    deferred_until: int | None = None
    deferred_on_evidence: bool = False
    parked: str = ""
    parked_from: str | None = None


class StackEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision: stream versions of its own event and of the event that put it where it is in the stack, the
    digest that it was about, and the state before and after it."""

    what: What
    version: int
    moved: int
    before: DecisionState
    after: DecisionState
    digest: str = ""


class DecisionStack(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`newest`: the stream version of the last new decision, 0 if there was none."""

    done: list[StackEntry] = []
    undone: list[StackEntry] = []
    newest: int = 0


def follow(
    stack: DecisionStack, event: Event, version: int, before: DecisionState, after: DecisionState, digest: str
) -> DecisionStack:
    """The stack after an event of the proposal's stream. `before` and `after`: the state around the event; `digest`:
    that of the proposal."""
    match event:
        case ev.ProposalApproved():
            return _push(stack, "approve", version, before, after, digest)
        case ev.ProposalAcknowledged():
            return _push(stack, "acknowledge", version, before, after, digest)
        case ev.ProposalRejected():
            return _push(stack, "reject", version, before, after, digest)
        case ev.ProposalDeferred():
            return _push(stack, "defer", version, before, after, digest)
        case ev.DecisionUndone():
            return _back(stack, len(stack.done) - 1, version)
        case ev.Undone():
            return _back(stack, _last_approval(stack.done), version)
        case ev.DecisionRedone():
            return _forward(stack, len(stack.undone) - 1, version, before)
        case ev.Redone():
            index = _last_approval(stack.undone)
            return _on_top(stack, version) if index < 0 else _forward(stack, index, version, None)
        case ev.ExecutionFinished(run="apply"):
            return _carried_out(stack, event, version, before, after, digest)
        case ev.ProposalRevised():
            return _revised(stack, event, version, before, after)
        case ev.ProposalUnparked() if before.parked_from == "deferred" and after.state in _UNDECIDED:
            return msgspec.structs.replace(stack, done=[])
        case ev.ProposalParked() if before.state == "approved":
            return msgspec.structs.replace(stack, done=[])
        case ev.ProposalReturned() if before.state in ("executed", "redone"):
            return _back(stack, _last_approval(stack.done), version)
        case ev.ProposalReturned():
            return msgspec.structs.replace(stack, done=[])
        case ev.ProposalStale() | ev.ProposalSuperseded() | ev.ProposalExpired() | ev.ExecutionUnknown():
            return msgspec.structs.replace(stack, done=[], undone=[])
        case ev.ProposalVerified(ok=False) if after.state != before.state:
            return msgspec.structs.replace(stack, done=[], undone=[])
        case _:
            return stack


def _push(
    stack: DecisionStack, what: What, version: int, before: DecisionState, after: DecisionState, digest: str
) -> DecisionStack:
    done = stack.done
    if what == "approve" and before.state == "approved" and done:  # the same yes again, after its time was over
        before, done = done[-1].before, done[:-1]
    made = StackEntry(what=what, version=version, moved=version, before=before, after=after, digest=digest)
    return DecisionStack(done=[*done, made][-_MOST:], newest=version)


def _revised(
    stack: DecisionStack, event: ev.ProposalRevised, version: int, before: DecisionState, after: DecisionState
) -> DecisionStack:
    """A person's change of the patch is a decision; a patch that is made anew, or changed by a model, ends it. A
    proposal that is open again has nothing to take back."""
    if event.restored:
        return stack
    if event.edited and event.by != "model":
        return _push(stack, "edit", version, before, after, event.digest)
    reopened = before.state not in _UNDECIDED and after.state in _UNDECIDED
    reopened |= before.deferred_on_evidence and not after.deferred_on_evidence
    done = [] if reopened else [e for e in stack.done if e.what != "edit"]
    return msgspec.structs.replace(stack, done=done, undone=[e for e in stack.undone if e.what != "edit"])


def _back(stack: DecisionStack, index: int, version: int) -> DecisionStack:
    """Moves an entry to the redo line; index -1: there is none."""
    if index < 0:
        return stack
    taken = msgspec.structs.replace(stack.done[index], moved=version)
    return msgspec.structs.replace(
        stack, done=stack.done[:index] + stack.done[index + 1 :], undone=[*stack.undone, taken][-_MOST:]
    )


def _forward(stack: DecisionStack, index: int, version: int, before: DecisionState | None) -> DecisionStack:
    """Moves an entry from the redo line to the top. `before`: what taking it back again restores, if that changed."""
    if index < 0:
        return stack
    entry = stack.undone[index]
    again = msgspec.structs.replace(entry, moved=version, before=before or entry.before)
    return msgspec.structs.replace(
        stack, done=[*stack.done, again], undone=stack.undone[:index] + stack.undone[index + 1 :]
    )


def _on_top(stack: DecisionStack, version: int) -> DecisionStack:
    """Moves the approval that was carried out again, without an undo of it, to the top."""
    index = _last_approval(stack.done)
    if index < 0:
        return stack
    again = msgspec.structs.replace(stack.done[index], moved=version)
    return msgspec.structs.replace(stack, done=[*stack.done[:index], *stack.done[index + 1 :], again])


def _last_approval(entries: list[StackEntry]) -> int:
    return max((n for n, entry in enumerate(entries) if entry.what == "approve"), default=-1)


def _carried_out(
    stack: DecisionStack, event: ev.ExecutionFinished, version: int, before: DecisionState, after: DecisionState,
    digest: str,
) -> DecisionStack:  # fmt: skip
    """An approval whose run succeeded stays in the stack, and nothing does after one that failed."""
    if event.outcome not in ("done", "rolled_forward"):
        return msgspec.structs.replace(stack, done=[], undone=[])
    if stack.done and stack.done[-1].what == "approve":
        return stack
    return _push(stack, "approve", version, before, after, digest)  # a log without the approval
