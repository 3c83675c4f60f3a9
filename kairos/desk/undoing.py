"""Undo and redo: make a plan, have the caller confirm it, carry it out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from kairos.desk.deciding import await_end, carried_out
from kairos.desk.desk import Desk
from kairos.desk.leased import acting_in
from kairos.desk.reading import inbox, letters, names, repositories
from kairos.desk.records.proposals import UndoneOut
from kairos.desk.stacking import DecisionTarget, done_above, next_below, said_of, target
from kairos.desk.when import deferred_to
from kairos.domain.controls import Control
from kairos.domain.events import ExecutionStarted, Redone, Undone
from kairos.domain.inert import as_text
from kairos.domain.proposal import DONE, Proposal
from kairos.errors import Denied, KairosError, OutcomeUnknown, Stale
from kairos.eventlog.views.repositories import Repository

_WANTED = {"undo": "undone", "redo": "redone"}
_MOST_NAMED = 3
WAIT_S = 10.0
"""How long (s) a redo waits until the daemon carried out an approval that was made again."""


class TakingBack(msgspec.Struct, frozen=True, kw_only=True):
    """What an undo or redo (`run`) would do, for the prompt. `what`: the decision (approve, reject, edit, mute, …);
    `writes`: whether files change, `files` then those that do, else those of the proposal; `kept`: files edited since,
    whose edits are preserved; `repo`: the short name of the repository, empty for all; `at` (us): when it was decided
    or done, 0 for a control. `gone`: of a redo, whether it was not undone and git took the change away. `position`: of
    the decision. `after`: what is in force afterwards, of a control."""

    run: str
    what: str
    id: str
    title: str
    repo: str
    writes: bool = False
    files: list[str] = []
    hunks: int = 0
    kept: list[str] = []
    gone: bool = False
    at: int = 0
    position: int = 0
    after: str = ""


Agreed = Callable[[TakingBack], bool]


def take_back(
    desk: Desk, run: str, named: str | None, agreed: Agreed, *, scope: Repository | None = None
) -> UndoneOut | None:
    """Takes a decision back, or with `run` redo makes it again: the last one on a proposal (id) or that of an event
    (position), else the last one in a repository (None: of everything). None if `agreed` rejected the plan. NotFound
    (4); Stale (5) describes a conflict; nothing is written then, and the hint says how to step over it."""
    cut_short = _cut_short(desk, named, scope)
    if cut_short is not None:
        with acting_in(desk, cut_short.raised.repo):
            done = _settled(desk, run, cut_short)
        if done is not None:
            return done
    found = target(desk, run, named, scope)
    if found.proposal is None:
        return _control(desk, run, found, agreed)
    try:
        if not found.is_run:
            return _decision(desk, run, found, agreed)
        with acting_in(desk, found.repo):
            return _run(desk, run, found, found.proposal, agreed)
    except (Stale, Denied, OutcomeUnknown) as error:
        raise type(error)(error.message, f"{error.hint}{_way_on(desk, run, found, named, scope)}") from error


def _way_on(desk: Desk, run: str, found: DecisionTarget, named: str | None, scope: Repository | None) -> str:
    """How to go on when the decision cannot be taken back: what to undo first, and what comes below it."""
    words = ""
    above = done_above(desk, found) if run == "undo" and found.is_run else []
    if above:
        changes = ", ".join(f"`kairos undo {letters(desk, p.id)}`" for p in above[:_MOST_NAMED])
        words = f" Kairos changed the same files since; to take that back first: {changes}."
    below = next_below(desk, run, found, scope) if named is None else None
    if below is not None:
        short = letters(desk, below.name) if below.proposal is not None else below.name
        words += f" To step over it: `kairos {run} {short}` ({said_of(desk, below)})."
    return words


def _cut_short(desk: Desk, named: str | None, scope: Repository | None) -> Proposal | None:
    """A proposal with an open run, left by a crash or going on now: it is settled before anything else."""
    live = (p for p in inbox(desk).live() if p.state == "executing")
    if named is not None:
        return next((p for p in live if named and p.id.startswith(named)), None)
    return next((p for p in live if scope is None or p.raised.repo == scope.id), None)


def _settled(desk: Desk, run: str, cut_short: Proposal) -> UndoneOut | None:
    """Settles a run that a crash interrupted. Returns its result if that completes the request, so that a retry after a
    crash does not undo an older action as well; else None."""
    from kairos.acting.recovery import recover

    repo, shared = cut_short.raised.repo, desk.log.shared
    open_ = recover(desk.log, desk.home, is_mine=lambda other: not shared or other == repo)
    for done in (p for p in open_ if p.id == cut_short.id and p.state == _WANTED[run]):
        return _out(desk, "approve", done, inbox(desk).positions[done.id][-1:])
    return None


def _run(desk: Desk, run: str, found: DecisionTarget, proposal: Proposal, agreed: Agreed) -> UndoneOut | None:
    """Reverses, or makes again, what an execution did to files."""
    from kairos.acting import undo as undoing

    plan = (undoing.plan_undo if run == "undo" else undoing.plan_redo)(desk.log, desk.home, proposal.id)
    files, kept = [*map(as_text, plan.paths)], [*map(as_text, plan.kept)]
    shown = _plan(desk, run, found, writes=True, files=files, hunks=plan.hunks, kept=kept, at=plan.done_at)
    if not agreed(shown):
        return None
    before = len(inbox(desk).positions[proposal.id])
    done = (undoing.undo if run == "undo" else undoing.redo)(desk.log, desk.home, proposal.id)
    if done.state == "unknown":
        raise OutcomeUnknown(
            f"the outcome of {run} of {done.id} is unknown", f"`kairos show {done.id}` names its files."
        )
    if done.state != _WANTED[run]:
        raise KairosError(f"{run} of {done.id} failed and changed nothing: {done.why}", f"`kairos show {done.id}`.")
    positions = inbox(desk).positions[done.id][before:]
    events = [desk.log.at(position).event for position in positions]
    did = next((e.kept for e in events if isinstance(e, Undone | Redone)), [])
    wrote = next((e.expect for e in events if isinstance(e, ExecutionStarted)), [])
    return _out(desk, shown.what, done, positions, [as_text(e.fs) for e in wrote] or files, did)


def _decision(desk: Desk, run: str, found: DecisionTarget, agreed: Agreed) -> UndoneOut | None:
    """Takes back a decision that changed no file, or makes it again; an approval made again is carried out."""
    from kairos.acting import taking_back as acting

    p, entry = found.proposal, found.entry
    assert p is not None and entry is not None
    shown = _plan(desk, run, found, files=[*map(as_text, p.raised.effects.files)], at=p.changed_at)
    if not agreed(shown):
        return None
    before = len(inbox(desk).positions[p.id])
    done = (acting.take_back if run == "undo" else acting.make_again)(desk.log, p.id, entry.version).proposal
    if done.state == "approved" and (desk.daemon_running() or not carried_out(desk, done)):
        await_end(desk, p.id, WAIT_S)
    known = inbox(desk)
    return _out(desk, shown.what, known.proposals[p.id], known.positions[p.id][before:])


def _control(desk: Desk, run: str, found: DecisionTarget, agreed: Agreed) -> UndoneOut | None:
    from kairos.acting import taking_back as acting

    control = found.control
    assert control is not None
    shown = _plan(desk, run, found)
    if not agreed(shown):
        return None
    position = (acting.take_back_control if run == "undo" else acting.make_control_again)(desk.log, control)
    return UndoneOut(
        id="", state=shown.after, positions=[position], files=[], kept=[], what=shown.what, title=shown.title,
        repo=_root(desk, found.repo),
    )  # fmt: skip


def _state_after(run: str, control: Control) -> str:
    on = (control.before if run == "undo" else control.after).on
    return ("muted" if on else "heard") if control.detector else ("paused" if on else "running")


def _plan(
    desk: Desk, run: str, found: DecisionTarget, *, writes: bool = False, files: list[str] | None = None,
    hunks: int = 0, kept: list[str] | None = None, at: int = 0,
) -> TakingBack:  # fmt: skip
    control, p = found.control, found.proposal
    return TakingBack(
        run=run,
        what=control.what if control is not None else found.entry.what if found.entry is not None else "approve",
        id=p.id if p is not None else "",
        title=p.raised.title if p is not None else control.detector if control is not None else "",
        repo=names(repositories(desk)).get(found.repo, found.repo),
        writes=writes, files=files or [], hunks=hunks, kept=kept or [], at=at, position=found.position,
        after=_state_after(run, control) if control is not None else "",
        gone=run == "redo" and p is not None and p.state in DONE,
    )  # fmt: skip


def _out(
    desk: Desk, what: str, done: Proposal, positions: list[int], files: list[str] | None = None,
    kept: list[str] | None = None,
) -> UndoneOut:  # fmt: skip
    named = [*map(as_text, done.raised.effects.files)] if files is None else files
    return UndoneOut(
        id=done.id, state=done.state, positions=positions, files=named, kept=kept or [], what=what,
        title=done.raised.title, repo=_root(desk, done.raised.repo), why=_reason(done),
    )  # fmt: skip


def _reason(done: Proposal) -> str:
    """Why a proposal does not wait for a decision although the one on it was taken back, or until when an earlier
    deferral lasts; empty if it waits."""
    if done.state == "deferred":
        return f"until {deferred_to(done.deferred_until, on_evidence=done.deferred_on_evidence)}"
    closed = done.state in ("stale", "superseded", "expired", "failed")
    return done.parked or (done.why if closed else "")


def _root(desk: Desk, repo: str) -> str | None:
    found = repositories(desk).by_id.get(repo)
    return str(Path(found.root)) if found is not None else None
