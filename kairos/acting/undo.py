"""Undo reverts exactly what a run changed and keeps a person's later edits; redo makes the same change again.

Each is a three-way merge per file between the states after the run, before the run and now. If any file has a
conflict, nothing is written. Both are runs of their own: recorded, recovered after a crash, and undoable.

Without an id, `undo` takes the newest action that is in effect and `redo` the newest one that was undone:

    executed:     A  B  C         undo → C     A  B  (C)       undo → B     A  (B) (C)
    redo target:  none            redo target: C               redo target: B
                                                               redo → B     A  B  (C)     redo target: C
    ( ) is undone                 execute D →  A  B  (C)  D    redo target: none (`redo C` still works)

The newest action is the one whose last event is the latest; an undone action that was redone is in effect again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kairos.acting import preimages, recovery
from kairos.acting.applying import OnStep, Write, no_step
from kairos.acting.lock import exec_lock
from kairos.acting.merge import merge
from kairos.acting.performing import open_tree, perform, standing
from kairos.acting.worktree import Blob, NotPlain, WorkTree
from kairos.clock import now_us
from kairos.domain.action import PatchAction
from kairos.domain.events import Expected
from kairos.domain.events.proposals import Run
from kairos.domain.inert import shown
from kairos.domain.proposal import DONE, Proposal
from kairos.errors import Conflict, NotFound, OutcomeUnknown, Stale
from kairos.eventlog.log import Log
from kairos.eventlog.views.inbox import Inbox
from kairos.home import Home


class UndoPlan(msgspec.Struct, frozen=True):
    """What an undo or redo would do, for the prompt. `kept`: files whose later edits are preserved; `paths`: files that
    would change."""

    id: str
    title: str
    run: Run
    files: int
    hunks: int
    kept: list[str]
    paths: list[str]
    done_at: int
    writes: list[Write]


def undo_target(inbox: Inbox) -> Proposal:
    """The target of `undo` without an id: the newest action that is in effect. NotFound (4)."""
    found = inbox.latest("executed", "redone")
    if found is None:
        raise NotFound("there is nothing to undo", "`kairos inbox` lists what is pending.")
    return found


def redo_target(inbox: Inbox) -> Proposal:
    """The target of `redo` without an id: the newest undone action. NotFound (4) if there is none, or if a new action
    was executed since."""
    found, newest = inbox.latest("undone"), inbox.latest("executed")
    if found is None or (newest is not None and _moved_at(inbox, newest) > _moved_at(inbox, found)):
        raise NotFound("there is nothing to redo", "`kairos redo ID` redoes an older undo.")
    return found


def plan_undo(log: Log, home: Home, proposal_id: str) -> UndoPlan:
    """The plan of an undo. Stale (5), with the conflicts, if it cannot be done cleanly."""
    return _plan_alone(log, home, proposal_id, "undo")


def plan_redo(log: Log, home: Home, proposal_id: str) -> UndoPlan:
    """The plan of a redo. Stale (5), with the conflicts, if it cannot be done cleanly."""
    return _plan_alone(log, home, proposal_id, "redo")


def undo(log: Log, home: Home, proposal_id: str, *, now: int | None = None, on_step: OnStep = no_step) -> Proposal:
    """Reverts the changes of an action and returns the proposal: undone, unchanged (after a disk error) or unknown.

    Stale (5), with the conflicts and nothing written, if later edits overlap."""
    return _run(log, home, proposal_id, "undo", now, on_step)


def redo(log: Log, home: Home, proposal_id: str, *, now: int | None = None, on_step: OnStep = no_step) -> Proposal:
    """Carries out an undone action again, on top of the current files. Raises the same errors as `undo`."""
    return _run(log, home, proposal_id, "redo", now, on_step)


def _run(log: Log, home: Home, proposal_id: str, run: Run, now: int | None, on_step: OnStep) -> Proposal:
    with exec_lock(home):
        at = standing(log, proposal_id)
        moment = now_us() if now is None else now
        with open_tree(log, at.proposal) as tree:
            at = recovery.settle(log, home, at, tree, now=moment)
            plan = _plan(home, at.proposal, run, tree)
            try:
                return perform(
                    log, home, at, run, tree, plan.writes, now=moment, kept=plan.kept,
                    emptied=_made(home, at.proposal) if run == "undo" else (), on_step=on_step,
                ).proposal  # fmt: skip
            except Conflict as error:
                raise Stale(
                    f"{at.proposal.id} changed at the same moment; nothing was written", "Try again."
                ) from error


def _plan_alone(log: Log, home: Home, proposal_id: str, run: Run) -> UndoPlan:
    proposal = standing(log, proposal_id).proposal
    with open_tree(log, proposal) as tree:
        return _plan(home, proposal, run, tree)


def _plan(home: Home, proposal: Proposal, run: Run, tree: WorkTree) -> UndoPlan:
    done = proposal.last_done
    allowed = proposal.state in DONE if run == "undo" else proposal.state == "undone"
    if done is None or not allowed or not isinstance(proposal.raised.action, PatchAction):
        raise Stale(f"{proposal.id} is {proposal.state}: there is nothing to {run}", f"`kairos show {proposal.id}`.")
    contents = preimages.fetch(home, done.store, [e.sha for e in (*done.before, *done.expect) if e.sha])
    base, wanted = _states(done.expect, contents), _states(done.before, contents)
    if run == "redo":
        base, wanted = wanted, base
    writes, kept, conflicts = [], [], []
    for path in base:
        try:
            ours = tree.read(path)
        except NotPlain as error:
            conflicts.append(error.message)
            continue
        merged = merge(home, path, base=base[path], ours=ours, theirs=wanted[path])
        if merged.conflict:
            conflicts.append(merged.conflict)
        elif not _equal(ours, merged.blob):
            writes.append(Write(path, ours, merged.blob))
        if merged.kept:
            kept.append(path)
    if conflicts:
        words = f"{proposal.id} cannot be {run}ne cleanly; nothing was written."
        raise Stale("\n".join([words, *conflicts]), "Resolve these places by hand, then try again.")
    edits = proposal.raised.action.edits
    return UndoPlan(
        proposal.id, proposal.raised.title, run, len(edits), sum(max(1, len(e.hunks)) for e in edits), sorted(kept),
        [w.path for w in writes], proposal.changed_at, writes,
    )  # fmt: skip


def _states(expected: Sequence[Expected], contents: dict[str, bytes]) -> dict[str, Blob | None]:
    out: dict[str, Blob | None] = {}
    for state in expected:
        if state.sha is None:
            out[state.fs] = None
        elif state.sha not in contents:
            raise OutcomeUnknown(
                f"the undo store no longer has the previous content of {shown(state.fs)}",
                "It cannot be undone; restore the file from git.",
            )
        else:
            out[state.fs] = Blob(contents[state.sha], 0o644 if state.mode is None else state.mode)
    return out


def _made(home: Home, proposal: Proposal) -> list[str]:
    """The directories made by the run that is undone; they are removed, too, if they are empty."""
    return preimages.made_by(home, proposal.last_done.store) if proposal.last_done is not None else []


def _equal(a: Blob | None, b: Blob | None) -> bool:
    return (a is None and b is None) or (
        a is not None and b is not None and a.content == b.content and a.mode == b.mode
    )


def _moved_at(inbox: Inbox, proposal: Proposal) -> int:
    return inbox.positions[proposal.id][-1]
