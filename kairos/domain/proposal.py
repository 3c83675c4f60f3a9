"""The proposal aggregate: its states, their fold, and the transitions caused by time and by changes of the tree. Pure;
times in microseconds are passed in. The decisions of a person and the runs are in `deciding`.

raised → verified (pending) → approved → executing → executed | failed | unknown, and
rejected · deferred · stale · superseded · expired · withdrawn · acknowledged; executed → undone → redone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import msgspec

from kairos.domain import events as ev
from kairos.domain.action import NoteAction
from kairos.domain.decision_stack import DecisionStack, DecisionState, follow
from kairos.domain.events import Event, ProposalRaised
from kairos.domain.inert import as_text

State = Literal[
    "raised", "pending", "approved", "executing", "executed", "failed", "unknown", "rejected", "deferred", "stale",
    "superseded", "expired", "withdrawn", "acknowledged", "undone", "redone",
]  # fmt: skip
UNDECIDED = frozenset({"raised", "pending"})
OPEN = frozenset({"raised", "pending", "deferred"})
WAITING = OPEN | {"approved"}
DONE = frozenset({"executed", "redone"})
RAN = DONE | {"undone"}
TERMINAL = frozenset(
    {"executed", "failed", "unknown", "rejected", "stale", "superseded", "expired", "withdrawn", "acknowledged",
     "undone", "redone"}
)  # fmt: skip
TOPICS = frozenset(
    {"ProposalRaised", "ProposalVerified", "ProposalDelivered", "ProposalApproved", "ProposalAcknowledged",
     "ProposalRejected", "ProposalDeferred", "ProposalReturned", "ProposalStale", "ProposalSuperseded",
     "ProposalExpired", "ExecutionStarted", "ExecutionFinished", "ExecutionUnknown", "Undone", "Redone",
     "DecisionUndone", "DecisionRedone"}
)  # fmt: skip


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of one proposal's stream. `version` is the stream version, for optimistic appends."""

    raised: ProposalRaised
    raised_at: int
    state: State
    version: int
    changed_at: int
    verified: ev.ProposalVerified | None = None
    approved: ev.ProposalApproved | None = None
    rejected: ev.ProposalRejected | None = None
    deferred_until: int | None = None
    delivered: bool = False
    stale_paths: list[str] = []
    execution: ev.ExecutionStarted | None = None
    last_done: ev.ExecutionStarted | None = None
    before_run: State | None = None
    why: str = ""
    stack: DecisionStack = DecisionStack()

    @property
    def id(self) -> str:
        return self.raised.id

    @property
    def stream(self) -> str:
        return stream_of(self.raised.id)

    @property
    def is_note(self) -> bool:
        return isinstance(self.raised.action, NoteAction)


def stream_of(proposal_id: str) -> str:
    """The stream of a proposal's events."""
    return f"proposal-{proposal_id}"


ALPHABET = "klmnopqrstuvwxyz"


def proposal_id(seed: str) -> str:
    """A typeable id of 12 letters k–z (no digits, so it never reads as a position or an object id), from the hex digest
    of what makes the proposal unique."""
    from hashlib import sha256

    return "".join(ALPHABET[int(c, 16)] for c in sha256(seed.encode()).hexdigest()[:12])


def evolve(state: Proposal | None, event: Event, at: int) -> Proposal | None:
    """Folds one event; None while the proposal is not raised. Events are folded as recorded, even if the transition is
    not a valid one: the rules are in the deciding functions."""
    if isinstance(event, ProposalRaised):
        return Proposal(raised=event, raised_at=at, state="raised", version=1, changed_at=at)
    if state is None:
        return None
    changes: dict[str, object] = {"version": state.version + 1}
    now = state.state
    match event:
        case ev.ProposalVerified():
            changes["verified"] = event
            if now in OPEN and not event.ok:
                now, changes["why"] = "withdrawn", event.why
            elif now == "raised":
                now, changes["why"] = "pending", event.why
        case ev.ProposalDelivered():
            changes["delivered"] = True
        case ev.ProposalApproved():
            now, changes["approved"], changes["deferred_until"] = "approved", event, None
        case ev.ProposalAcknowledged():
            now = "acknowledged"
        case ev.ProposalRejected():
            now, changes["rejected"] = "rejected", event
        case ev.ProposalDeferred():
            now, changes["deferred_until"] = "deferred", event.until
        case ev.ProposalReturned():
            now = "pending" if state.verified is not None and state.verified.ok else "raised"
            changes |= {"deferred_until": None, "approved": None}
        case ev.ProposalStale():
            now, changes["stale_paths"] = "stale", event.paths
        case ev.ProposalSuperseded():
            now, changes["why"] = "superseded", event.why
        case ev.ProposalExpired():
            now = "expired"
        case ev.ExecutionStarted():
            changes |= {"execution": event, "before_run": now}
            now = "executing"
        case ev.ExecutionFinished():
            now = _after_run(state, event)
            changes |= {"execution": None, "before_run": None, "why": event.why}
            if event.outcome in ("done", "rolled_forward") and event.run != "undo":
                changes["last_done"] = state.execution
        case ev.ExecutionUnknown():
            now, changes["execution"] = "unknown", None
            changes["why"] = "started and not finished; the tree is neither before nor after"
        case ev.Undone():
            now = "undone"
        case ev.Redone():
            now = "redone"
        case ev.DecisionUndone() if state.stack.done:  # a person who decided on it was told of it
            changes |= msgspec.structs.asdict(state.stack.done[-1].before) | {"delivered": True}
            now = cast(State, changes.pop("state"))
        case ev.DecisionRedone() if state.stack.undone:
            changes |= msgspec.structs.asdict(state.stack.undone[-1].after)
            now = cast(State, changes.pop("state"))
    if now != state.state:
        changes |= {"state": now, "changed_at": at}
    after = msgspec.structs.replace(state, **changes)
    stack = follow(state.stack, event, after.version, facts_of(state), facts_of(after))
    return after if stack is state.stack else msgspec.structs.replace(after, stack=stack)


def facts_of(p: Proposal) -> DecisionState:
    """What a decision on a proposal would change."""
    return DecisionState(state=p.state, approved=p.approved, rejected=p.rejected, deferred_until=p.deferred_until)


def is_verified(p: Proposal) -> bool:
    """Whether the action was tried in a scratch tree and succeeded."""
    return p.verified is not None and p.verified.ok


def expire(p: Proposal, now: int) -> list[Event]:
    """Expires a proposal that was not decided in time."""
    if p.state in OPEN and p.raised.expires_at <= now:
        return [ev.ProposalExpired(id=p.id)]
    return []


def give_back(p: Proposal, now: int | None) -> list[Event]:
    """Makes a deferred proposal pending again when its time has come; `now` None: at the next commit. Also if an
    approval expired before it was carried out."""
    if p.state == "deferred":
        due = p.deferred_until is None if now is None else p.deferred_until is not None and p.deferred_until <= now
        return [ev.ProposalReturned(id=p.id)] if due else []
    if p.state == "approved" and now is not None and p.approved is not None and p.approved.expires_at <= now:
        return [ev.ProposalReturned(id=p.id)]
    return []


def mark_stale(p: Proposal, paths: Sequence[str]) -> list[Event]:
    """Marks a proposal that is not carried out yet as stale because its base changed."""
    return [ev.ProposalStale(id=p.id, paths=sorted(map(as_text, paths)))] if p.state in WAITING else []


def supersede(p: Proposal, why: str, by: str = "") -> list[Event]:
    """Closes a proposal that is no longer needed."""
    return [ev.ProposalSuperseded(id=p.id, why=why, by=by)] if p.state in WAITING else []


def _after_run(state: Proposal, event: ev.ExecutionFinished) -> State:
    if event.outcome in ("done", "rolled_forward"):
        return {"apply": "executed", "undo": "undone", "redo": "redone"}[event.run]  # type: ignore[return-value]
    if event.run == "apply":
        return "failed"
    return state.before_run or state.state
