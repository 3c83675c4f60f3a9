"""What it takes to take a decision on a proposal back, or to make it again. Pure: the present fold in, events out.

Only decisions that changed no file: what an execution did to files is reversed by a run of its own
(`deciding.start_run` with `undo` or `redo`).
"""

from __future__ import annotations

from kairos.domain import events as ev
from kairos.domain.action import PatchAction
from kairos.domain.deciding import RETURNS
from kairos.domain.decision_stack import StackEntry
from kairos.domain.events import Event
from kairos.domain.proposal import DONE, OPEN, RAN, Proposal, is_verified
from kairos.errors import Stale, TryAgain

NOUNS = {
    "approve": "approval",
    "acknowledge": "acknowledgement",
    "reject": "rejection",
    "defer": "deferral",
    "edit": "edit",
    "mute": "mute",
    "unmute": "unmute",
    "pause": "pause",
    "resume": "resume",
}
_LOOK = "Look again: `kairos show {}`."


def last_done(p: Proposal) -> StackEntry | None:
    """The decision that is taken back first; None if nothing that was decided is in effect."""
    return p.stack.done[-1] if p.stack.done else None


def last_undone(p: Proposal) -> StackEntry | None:
    """The decision that is made again first; None if none was taken back."""
    return p.stack.undone[-1] if p.stack.undone else None


def last_carried_out(p: Proposal) -> StackEntry | None:
    """The approval whose patch a redo applies again if git took the change away; None if none was carried out."""
    if p.state not in DONE or not isinstance(p.raised.action, PatchAction):
        return None
    return next((e for e in reversed(p.stack.done) if is_run(p, e)), None)


def is_run(p: Proposal, entry: StackEntry) -> bool:
    """Whether a decision was carried out, so that only a run that reverses it can take it back."""
    return entry.what == "approve" and p.state in RAN


def take_back(p: Proposal, version: int, of: int) -> list[Event]:
    """Takes back the decision of the stream version `version`, recorded at position `of`. Stale (5) if it is not the
    last one in effect or was carried out; TryAgain (75) while it is being carried out."""
    entry = last_done(p)
    if entry is None or entry.version != version:
        raise Stale(f"{p.id} was decided on anew meanwhile: nothing was taken back", _LOOK.format(p.id))
    if p.state == "executing":
        raise TryAgain(f"{p.id} is being carried out", "Try again when it is done.")
    if is_run(p, entry):
        raise Stale(f"{p.id} was carried out meanwhile: nothing was taken back", f"`kairos undo {p.id}` reverses it.")
    return [ev.DecisionUndone(id=p.id, what=entry.what, of=of)]


def make_again(p: Proposal, version: int, of: int, now: int) -> list[Event]:
    """Makes the decision of the stream version `version` again after it was taken back. Stale (5) if it is not the one
    taken back last, if the proposal is not open, or if the approval is over or was of another digest."""
    entry = last_undone(p)
    if entry is None or entry.version != version or p.state not in OPEN | {"parked"}:
        raise Stale(f"{p.id} was decided on anew meanwhile: nothing was redone", _LOOK.format(p.id))
    if entry.what != "edit" and entry.digest not in ("", p.raised.digest):
        raise Stale(f"{p.id} is not what was decided on: its digest differs", _LOOK.format(p.id))
    if p.state == "parked" and entry.what not in ("reject", "defer"):
        raise Stale(f"{p.id} is parked: {p.parked}", RETURNS)
    approved = entry.after.approved
    if approved is not None and (approved.expires_at <= now or not is_verified(p)):
        raise Stale(f"the approval of {p.id} is over", f"Approve it again: `kairos review {p.id}`.")
    if entry.after.deferred_until is not None and entry.after.deferred_until <= now:
        raise Stale(f"the time until which {p.id} was deferred is over", f"Decide: `kairos review {p.id}`.")
    if p.state != "parked" and p.raised.expires_at <= now:
        raise Stale(f"{p.id} expired before anybody decided", "It is raised again if its evidence still holds.")
    return [ev.DecisionRedone(id=p.id, what=entry.what, of=of)]
