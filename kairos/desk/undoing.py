"""Undo and redo: make a plan, have the caller confirm it, carry it out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kairos.desk.desk import Desk
from kairos.desk.leased import acting_in
from kairos.desk.reading import inbox
from kairos.desk.records.proposals import UndoneOut
from kairos.domain.inert import as_text
from kairos.errors import KairosError, NotFound, OutcomeUnknown

_WANTED = {"undo": "undone", "redo": "redone"}

if TYPE_CHECKING:
    from kairos.acting.undo import UndoPlan
    from kairos.domain.proposal import Proposal
    from kairos.eventlog.views.inbox import Inbox


def take_back(desk: Desk, run: str, id_: str | None, agreed: Callable[[UndoPlan], bool]) -> UndoneOut | None:
    """Undoes or redoes (`run`: undo | redo) the last action, or that of `id_`. None if `agreed` rejected the plan.
    Stale (5) describes a conflict; nothing is written then."""
    if not desk.has_log:
        raise NotFound(f"there is nothing to {run}", "`kairos inbox` lists what is pending.")
    known = inbox(desk)
    cut_short = [p for p in known.live() if p.state == "executing"]
    subject = known.find(id_) if id_ is not None else cut_short[0] if cut_short else _target(known, run)
    with acting_in(desk, subject.raised.repo):
        return _settled(desk, run, id_, subject.raised.repo) or _done(desk, run, id_, agreed)


def _target(known: Inbox, run: str) -> Proposal:
    from kairos.acting import undo as undoing

    return undoing.undo_target(known) if run == "undo" else undoing.redo_target(known)


def _settled(desk: Desk, run: str, id_: str | None, repo: str) -> UndoneOut | None:
    """Settles a run that a crash interrupted. Returns its result if that completes the request, so that a retry after a
    crash does not undo an older action as well; else None."""
    from kairos.acting.recovery import recover

    shared = desk.log.shared
    open_ = recover(desk.log, desk.home, is_mine=lambda other: not shared or other == repo)
    known = inbox(desk)
    for done in (p for p in open_ if p.state == _WANTED[run]):
        if id_ is None or known.find(id_).id == done.id:
            last = known.positions[done.id][-1:]
            files = [*map(as_text, done.raised.effects.files)]
            return UndoneOut(id=done.id, state=done.state, positions=last, files=files, kept=[])
    return None


def _done(desk: Desk, run: str, id_: str | None, agreed: Callable[[UndoPlan], bool]) -> UndoneOut | None:
    from kairos.acting import undo as undoing

    known = inbox(desk)
    proposal = known.find(id_) if id_ is not None else _target(known, run)
    plan = (undoing.plan_undo if run == "undo" else undoing.plan_redo)(desk.log, desk.home, proposal.id)
    if not agreed(plan):
        return None
    before = len(known.positions[proposal.id])
    done = (undoing.undo if run == "undo" else undoing.redo)(desk.log, desk.home, proposal.id)
    if done.state == "unknown":
        raise OutcomeUnknown(
            f"the outcome of {run} of {done.id} is unknown", f"`kairos show {done.id}` names its files."
        )
    if done.state != _WANTED[run]:
        raise KairosError(f"{run} of {done.id} failed and changed nothing: {done.why}", f"`kairos show {done.id}`.")
    positions = inbox(desk).positions[done.id][before:]
    files, kept = [*map(as_text, plan.paths)], [*map(as_text, plan.kept)]
    return UndoneOut(id=done.id, state=done.state, positions=positions, files=files, kept=kept)
