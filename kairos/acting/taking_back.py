"""Records that a person took a decision back, or made it again: of two who do so at once one wins, the other gets an
error. What an execution did to files is reversed by `kairos.acting.undo` instead.
"""

from __future__ import annotations

from collections.abc import Callable

from kairos.acting import gate
from kairos.acting.decisions import Decision
from kairos.acting.performing import open_tree
from kairos.clock import now_us
from kairos.domain import controls, editing, taking_back
from kairos.domain import proposal as proposals
from kairos.domain.action import PatchAction
from kairos.domain.controls import Control, Controls
from kairos.domain.events import DecisionRedone, DecisionUndone, Event
from kairos.domain.proposal import Proposal
from kairos.errors import Conflict, Denied, NotFound, Stale, TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.controls import ControlsView
from kairos.eventlog.views.inbox import InboxView

CONTROL = "control"
"""The stream of what a person decides about Kairos as a whole."""


def take_back(log: Log, id_: str, version: int, *, now: int | None = None) -> Decision:
    """Takes back the decision that is the event of stream version `version` of a proposal. If the proposal waits for a
    decision again and its time or its files are gone, it is closed with that reason in the same append.

    Stale (5) if another decision came first; TryAgain (75) while it is carried out."""

    def rule(p: Proposal, of: int, _: int) -> list[Event]:
        return _with_patch(log, p, taking_back.take_back(p, version, of), version - 1)

    return _decide(log, id_, rule, version, now)


def make_again(log: Log, id_: str, version: int, *, now: int | None = None) -> Decision:
    """Makes a decision again that was taken back. Stale (5) if another decision came first, if the approval is over,
    or, of an approval, while git is in the middle of a rebase or the like."""

    def rule(p: Proposal, of: int, at: int) -> list[Event]:
        events = taking_back.make_again(p, version, of, at)
        if any(isinstance(e, DecisionRedone) and e.what == "approve" for e in events):
            with open_tree(log, p) as tree:
                gate.refuse_if_ongoing(p, tree.root, "redo")
        return _with_patch(log, p, events, version)

    return _decide(log, id_, rule, version, now)


def take_back_control(log: Log, entry: Control, *, now: int | None = None) -> int:
    """Takes back a mute, unmute, pause or resume; returns the position. Stale (5) if another one came first."""
    moment = now_us() if now is None else now
    return _control(log, entry, lambda state: state.done, lambda state: controls.take_back(state, entry, moment))


def make_control_again(log: Log, entry: Control) -> int:
    """Makes a mute, unmute, pause or resume again that was taken back; returns the position. Stale (5)."""
    return _control(log, entry, lambda state: state.undone, lambda state: controls.make_again(state, entry))


def _decide(
    log: Log, id_: str, rule: Callable[[Proposal, int, int], list[Event]], version: int, now: int | None
) -> Decision:
    filed = InboxView().load(log)[0].filings[id_]
    before, moment = filed.proposal, now_us() if now is None else now
    events = rule(before, filed.at(min(version, before.version)), moment)
    after = _folded(before, events, moment)
    also = _settled(log, after, moment)
    news = [NewEvent(before.stream, e, filed.positions[-1] if not n else -1, "user") for n, e in enumerate(events)]
    news += [NewEvent(before.stream, e, -1, "system") for e in also]
    try:
        positions = log.append(news, expected={before.stream: before.version})
    except Conflict as error:
        raise Stale(f"{id_} changed at the same moment: nothing was changed", "Look and try again.") from error
    return Decision(_folded(after, also, moment), positions[0])


def _with_patch(log: Log, p: Proposal, events: list[Event], upto: int) -> list[Event]:
    """The events, and for an edit the revision that restores the patch as it was at a stream version."""
    if not any(isinstance(e, DecisionUndone | DecisionRedone) and e.what == "edit" for e in events):
        return events
    then: Proposal | None = None
    for recorded in log.stream(p.stream):
        if then is None or then.version < upto:
            then = proposals.evolve(then, recorded.event, recorded.at, recorded.version)
    assert then is not None
    return [*events, editing.restore(p, then)]


def _folded(before: Proposal, events: list[Event], at: int) -> Proposal:
    folded: Proposal | None = before
    for event in events:
        folded = proposals.evolve(folded, event, at)
    assert folded is not None
    return folded


def _settled(log: Log, p: Proposal, now: int) -> list[Event]:
    """What became of a proposal while the decision stood: it expired, its deferral or approval is over, what it rests
    on is elsewhere or gone, or its files moved. Nothing while its repository cannot be read: the daemon and the gate
    look again."""
    ended = proposals.expire(p, now) or proposals.give_back(p, now)
    if ended or p.state not in proposals.WAITING:
        return ended
    try:
        tree = open_tree(log, p)
    except (NotFound, Denied):
        return []
    with tree:
        try:
            refusal = gate.basis_refusal(p, tree.root)
        except TryAgain:  # git cannot tell
            refusal = None
        if refusal is not None:
            return refusal.events
        if not isinstance(p.raised.action, PatchAction):
            return []
        if gate.already_done(tree, p.raised.action):
            return proposals.supersede(p, "you made the same change by hand", done=True)
        moved = gate.moved_paths(tree, p.raised.action)
        return proposals.mark_stale(p, moved) if moved else []


def _control(
    log: Log, entry: Control, side: Callable[[Controls], list[Control]], rule: Callable[[Controls], list[Event]]
) -> int:
    version = log.version(CONTROL)
    state = ControlsView().load(log)[0]
    if entry not in side(state):
        raise Stale("another decision came first: nothing was changed", "Look and try again.")
    events = rule(state)
    news = [NewEvent(CONTROL, e, -1 if n else entry.moved, "system" if n else "user") for n, e in enumerate(events)]
    try:
        return log.append(news, expected={CONTROL: version})[0]
    except Conflict as error:
        raise Stale("another decision came at the same moment: nothing was changed", "Look and try again.") from error
