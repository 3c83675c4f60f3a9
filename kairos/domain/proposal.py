"""The proposal aggregate: its states, their fold, and the transitions caused by time and by changes of the tree. Pure;
times in microseconds are passed in. The decisions of a person and the runs are in `deciding`.

raised → verified (pending) → approved → executing → executed | failed | unknown, and
rejected · deferred · parked · stale · superseded · expired · withdrawn · acknowledged; executed → undone → redone.

One finding has one proposal for its whole life. When the tree moves it is revised: the fold's `raised` is the proposal
as it stands now, with its present digest. A verification and an approval belong to one digest. A proposal that was
closed is revised into an open one again if its finding returns. While it is parked, what it rests on is not in the
tree; it returns to the state it was in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import msgspec

from kairos.domain import events as ev
from kairos.domain.action import NoteAction, PatchAction
from kairos.domain.decision_stack import DecisionStack, DecisionState, follow
from kairos.domain.events import Event, ProposalRaised
from kairos.domain.events.proposals import Risk
from kairos.domain.hunks import groups
from kairos.domain.inert import as_text

State = Literal[
    "raised", "pending", "approved", "executing", "executed", "failed", "unknown", "rejected", "deferred", "stale",
    "superseded", "expired", "withdrawn", "acknowledged", "undone", "redone", "parked",
]  # fmt: skip
UNDECIDED = frozenset({"raised", "pending"})
OPEN = frozenset({"raised", "pending", "deferred"})
WAITING = OPEN | {"approved"}
LASTING = WAITING | {"parked"}
"""The states in which a proposal may still be carried out, now or when its basis returns."""
LAPSED = frozenset({"superseded", "stale", "acknowledged"})
"""Closed by the tree, or only read: open again if the tree changes back, or if it becomes worse."""
REVISITED = LAPSED | {"rejected"}
"""Closed, and looked at again when the tree changes; a rejected one returns only with a new place of evidence."""
DONE = frozenset({"executed", "redone"})
RAN = DONE | {"undone"}
TERMINAL = frozenset(
    {"executed", "failed", "unknown", "rejected", "stale", "superseded", "expired", "withdrawn", "acknowledged",
     "undone", "redone"}
)  # fmt: skip
TOPICS = frozenset(
    {"ProposalRaised", "ProposalVerified", "ProposalDelivered", "ProposalApproved", "ProposalAcknowledged",
     "ProposalRejected", "ProposalDeferred", "ProposalReturned", "ProposalCommented",
     "CommentAnswered", "ProposalStale", "ProposalSuperseded",
     "ProposalExpired", "ProposalRevised", "ProposalParked", "ProposalUnparked", "ExecutionStarted",
     "ExecutionFinished", "ExecutionUnknown", "Undone", "Redone", "DecisionUndone", "DecisionRedone"}
)  # fmt: skip
MOST_REVISIONS = 20
"""So many of the latest revisions are kept in the fold; `revised` counts all."""


class Revision(msgspec.Struct, frozen=True):
    """A revision of a proposal: when (us), what changed, in words, and the digest it had before (empty: not kept)."""

    at: int
    changed: str
    was: str = ""


class FoundWords(msgspec.Struct, frozen=True):
    """What was found before a person changed the patch: its words, its files, and how many hunks it had."""

    title: str
    claim: str
    files: list[str]
    hunks: int


class ToldState(msgspec.Struct, frozen=True):
    """What a person was told of a finding: its risk, its level and how many places it had; when (us; 0: unknown), and
    at which boundary."""

    risk: Risk
    level: int
    places: int
    at: int = 0
    boundary: str = ""


class Comment(msgspec.Struct, frozen=True):
    """What a person said about a proposal: when (us), about which file of it (empty: the whole), and the words;
    `answer`: what became of it (empty: nothing yet), `why` in words."""

    at: int
    file: str
    text: str
    answer: str = ""
    why: str = ""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of one proposal's stream. `version` is the stream version, for optimistic appends. `raised`: the
    proposal as it stands after its revisions. `parked`: why it is parked, empty if it is not; `parked_from`: the state
    it returns to. `voided`: the digest of an approval that a revision made void. `told`: what was delivered.
    `found_at`: the boundary at which it was first found. `done`: people did what it asks, without it. `edited`: a
    person changed the patch; the digest of the one that was found, of which `found` keeps the words. `taken_over`: the
    id of the proposal that says all that this one did; this one stays closed while that one may speak."""

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
    found_at: str = ""
    revised: int = 0
    revisions: list[Revision] = []
    revised_at: int = 0
    parked: str = ""
    parked_from: State | None = None
    voided: str = ""
    told: ToldState | None = None
    edited: str = ""
    found: FoundWords | None = None
    deferred_on_evidence: bool = False
    comments: list[Comment] = []
    done: bool = False
    taken_over: str = ""
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


def evolve(state: Proposal | None, event: Event, at: int, version: int | None = None) -> Proposal | None:
    """Folds one event; None while the proposal is not raised. Events are folded as recorded, even if the transition is
    not a valid one: the rules are in the deciding functions. `version`: that of the event in its stream (None: the
    next one); there are gaps where events were forgotten."""
    if isinstance(event, ProposalRaised):
        return Proposal(
            raised=event, raised_at=at, state="raised", version=version or 1, changed_at=at, found_at=event.boundary
        )  # fmt: skip
    if state is None:
        return None
    version = version or state.version + 1
    changes: dict[str, object] = {"version": version}
    now = state.state
    match event:
        case ev.ProposalVerified():
            if event.digest != state.raised.digest:  # of a digest that was revised meanwhile
                return msgspec.structs.replace(state, version=version)
            changes["verified"] = event
            if now in OPEN and not event.ok:
                now, changes["why"] = "withdrawn", event.why
            elif now == "raised":
                now, changes["why"] = "pending", event.why
        case ev.ProposalRevised():
            now, revised = _revised(state, event, at)
            changes |= revised
        case ev.ProposalParked():
            changes |= {"parked": event.why or "its basis is not there", "approved": None}
            if now != "parked":
                changes["parked_from"], now = now, "parked"
        case ev.ProposalUnparked():
            waits = state.parked_from == "deferred"
            now = "deferred" if waits else _undecided(state.verified, state.raised.digest)
            if now != "deferred":
                changes |= {"deferred_until": None, "deferred_on_evidence": False}
            if event.expires_at is not None:
                changes["raised"] = msgspec.structs.replace(state.raised, expires_at=event.expires_at)
        case ev.ProposalDelivered():
            changes |= {"delivered": True, "told": told_of(state, at, event.boundary)}
        case ev.ProposalApproved():
            now, changes["approved"], changes["deferred_until"] = "approved", event, None
            changes["voided"] = ""
        case ev.ProposalAcknowledged():
            now = "acknowledged"
        case ev.ProposalRejected():
            now, changes["rejected"] = "rejected", event
        case ev.ProposalDeferred():
            now, changes["deferred_until"] = "deferred", event.until
            changes["deferred_on_evidence"] = event.on_evidence
        case ev.ProposalCommented():
            changes["comments"] = [*state.comments, Comment(at, event.file, event.text)][-MOST_REVISIONS:]
        case ev.CommentAnswered():
            changes["comments"] = _answered(state.comments, event)
        case ev.ProposalReturned():
            now = _undecided(state.verified, state.raised.digest)
            changes |= {"deferred_until": None, "deferred_on_evidence": False, "approved": None, "why": event.why}
            if event.expires_at is not None:
                changes["raised"] = msgspec.structs.replace(state.raised, expires_at=event.expires_at)
        case ev.ProposalStale():
            now, changes["stale_paths"], changes["why"] = "stale", event.paths, event.why
        case ev.ProposalSuperseded():
            now = "superseded"
            changes |= {"why": event.why, "done": event.done, "taken_over": event.by}
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
            now, restored = _restored(state, state.stack.done[-1].before)
            changes |= restored | {"delivered": True}
        case ev.DecisionRedone() if state.stack.undone:
            now, restored = _restored(state, state.stack.undone[-1].after)
            changes |= restored
    if now != state.state:
        changes |= {"state": now, "changed_at": at}
        if now != "parked":
            changes |= {"parked": "", "parked_from": None}
    after = msgspec.structs.replace(state, **changes)
    stack = follow(state.stack, event, after.version, decision_state(state), decision_state(after), after.raised.digest)
    return after if stack is state.stack else msgspec.structs.replace(after, stack=stack)


def _answered(comments: list[Comment], event: ev.CommentAnswered) -> list[Comment]:
    """The comments after an answer, which is of the oldest one without any."""
    at = next((n for n, c in enumerate(comments) if not c.answer), None)
    if at is None:
        return comments
    answer = msgspec.structs.replace(comments[at], answer=event.outcome, why=event.why)
    return [*comments[:at], answer, *comments[at + 1 :]]


def decision_state(p: Proposal) -> DecisionState:
    """What a decision on a proposal would change."""
    return DecisionState(
        state=p.state, approved=p.approved, rejected=p.rejected, deferred_until=p.deferred_until,
        deferred_on_evidence=p.deferred_on_evidence, parked=p.parked, parked_from=p.parked_from,
    )  # fmt: skip


def is_verified(p: Proposal) -> bool:
    """Whether the action was tried in a scratch tree and succeeded."""
    return p.verified is not None and p.verified.ok and p.verified.digest == p.raised.digest


def found_words(p: Proposal) -> FoundWords:
    """What a proposal says as it stands."""
    action = p.raised.action
    size = len(groups(action)) if isinstance(action, PatchAction) else 0
    return FoundWords(p.raised.title, p.raised.claim, list(p.raised.effects.files), size)


def told_of(p: Proposal, at: int = 0, boundary: str = "") -> ToldState:
    """What a person is told if the proposal is delivered as it stands, at a time (us)."""
    return ToldState(p.raised.risk, p.raised.level, len(p.raised.fingerprint), at, boundary)


def expire(p: Proposal, now: int) -> list[Event]:
    """Expires a proposal that was not decided in time. One that is parked waits for its commits as long as they exist;
    one that rests on no commit expires."""
    worktree_only = p.state == "parked" and not (p.raised.basis is not None and p.raised.basis.commits)
    if (p.state in OPEN or worktree_only) and p.raised.expires_at <= now:
        return [ev.ProposalExpired(id=p.id)]
    return []


def give_back(p: Proposal, now: int | None) -> list[Event]:
    """Makes a deferred proposal pending again when its time has come; `now` None: at the next commit. Also if an
    approval expired before it was carried out."""
    if p.state == "deferred":
        at_commit = p.deferred_until is None and not p.deferred_on_evidence
        due = at_commit if now is None else p.deferred_until is not None and p.deferred_until <= now
        why = "the commit that it was deferred to was made" if now is None else "the time that it was deferred to came"
        return [ev.ProposalReturned(id=p.id, why=why)] if due else []
    if p.state == "approved" and now is not None and p.approved is not None and p.approved.expires_at <= now:
        return [ev.ProposalReturned(id=p.id, why="its approval expired before it could be carried out")]
    return []


def park(p: Proposal, why: str) -> list[Event]:
    """Parks a proposal whose basis is not in the tree; again only if the reason is another one."""
    return [ev.ProposalParked(id=p.id, why=why)] if p.state in LASTING and p.parked != why else []


def unpark(p: Proposal, expires_at: int | None) -> list[Event]:
    """Returns a parked proposal to the state it was in, valid until `expires_at` (us)."""
    return [ev.ProposalUnparked(id=p.id, expires_at=expires_at)] if p.state == "parked" else []


def mark_stale(p: Proposal, paths: Sequence[str], why: str = "") -> list[Event]:
    """Marks a proposal that is not carried out yet as stale because its base changed, or for another reason `why`."""
    return [ev.ProposalStale(id=p.id, paths=sorted(map(as_text, paths)), why=why)] if p.state in WAITING else []


def supersede(p: Proposal, why: str, by: str = "", *, done: bool = False) -> list[Event]:
    """Closes a proposal that is no longer needed, or whose basis is gone; also one that was only read, so that the
    same thing is news when it comes again. `done`: people did what it asks."""
    closes = p.state in LASTING or p.state == "acknowledged"
    return [ev.ProposalSuperseded(id=p.id, why=why, by=by, done=done)] if closes else []


def _restored(state: Proposal, wanted: DecisionState) -> tuple[State, dict[str, object]]:
    """The state and the fields after a decision was taken back or made again. A proposal that was parked meanwhile
    stays so and returns to that state."""
    changes = msgspec.structs.asdict(wanted)
    now = cast(State, changes.pop("state"))
    if now in UNDECIDED:
        now = _undecided(state.verified, state.raised.digest)
    if state.state == "parked" and now in OPEN:
        return "parked", changes | {"parked": state.parked, "parked_from": now}
    return now, changes


def _undecided(verified: ev.ProposalVerified | None, digest: str) -> State:
    return "pending" if verified is not None and verified.ok and verified.digest == digest else "raised"


def _revised(state: Proposal, event: ev.ProposalRevised, at: int) -> tuple[State, dict[str, object]]:
    """The state after a revision, and the changed fields. A deferred or parked proposal stays so, but a deferral until
    its evidence changes ends, unless the revision says that this is the same; an approval stays only if its digest
    does; any other proposal that was closed without a run is open again."""
    names = set(ProposalRaised.__struct_fields__) & set(ev.ProposalRevised.__struct_fields__) - {"id", "expires_at"}
    fields = {name: getattr(event, name) for name in names}
    if event.expires_at is not None:
        fields["expires_at"] = event.expires_at
    fields["cost_microusd"] = state.raised.cost_microusd + event.spent_microusd
    same = event.digest == state.raised.digest
    changes: dict[str, object] = {
        "raised": msgspec.structs.replace(state.raised, **fields),
        "revised": state.revised + 1,
        "revisions": [*state.revisions, Revision(at, event.changed, state.raised.digest)][-MOST_REVISIONS:],
        "revised_at": at,
        "edited": event.edited,
        "taken_over": "",
        "found": (state.found or found_words(state)) if event.edited else None,
    }
    if event.worse:
        changes["delivered"] = False
    if not same:
        changes["verified"] = None
    now = state.state
    if now == "executing" or now in RAN or (now == "approved" and same):
        return now, changes
    if now == "approved" and state.approved is not None:
        changes["voided"] = state.approved.digest
    changes |= {"approved": None, "stale_paths": [], "why": event.changed}
    moved = state.deferred_on_evidence and not event.deferred
    if now not in ("deferred", "parked") or (now == "deferred" and moved):
        changes |= {"rejected": None, "deferred_until": None, "deferred_on_evidence": False}
        now = _undecided(None if not same else state.verified, event.digest)
    elif now == "parked" and moved and state.parked_from == "deferred":
        changes |= {"parked_from": None, "deferred_on_evidence": False}
    return now, changes


def _after_run(state: Proposal, event: ev.ExecutionFinished) -> State:
    if event.outcome in ("done", "rolled_forward"):
        return {"apply": "executed", "undo": "undone", "redo": "redone"}[event.run]  # type: ignore[return-value]
    if event.run == "apply":
        return "failed"
    return state.before_run or state.state
