"""Undo reverts exactly what a run changed and keeps a person's later edits; redo makes the same change again.

Each is a three-way merge per file between the states after the run, before the run and now. If a file has a conflict,
or the change is not in it (an undo) or already in it (a redo), nothing is written: the change is in another branch, or
was made by hand, and the proposal stays as it is. Both are runs of their own: recorded, recovered after a crash, and
undoable. Which decision `undo` and `redo` act on is in `kairos.domain.decision_stack`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from kairos.acting import gate, preimages, recovery
from kairos.acting.applying import OnStep, Write, no_step
from kairos.acting.lock import exec_lock
from kairos.acting.merge import merge
from kairos.acting.performing import open_tree, perform, standing
from kairos.acting.worktree import Blob, NotPlain, WorkTree
from kairos.clock import now_us
from kairos.domain.action import PatchAction
from kairos.domain.amounts import count
from kairos.domain.basis import missing
from kairos.domain.events import ExecutionStarted, Expected
from kairos.domain.events.proposals import Run
from kairos.domain.inert import shown
from kairos.domain.proposal import DONE, RAN, Proposal
from kairos.errors import Conflict, Denied, NotFound, OutcomeUnknown, Stale
from kairos.eventlog.log import Log
from kairos.home import Home
from kairos.repo.basis_tree import basis_tree
from kairos.repo.git import Git

_NAMED = 3


class UndoPlan(msgspec.Struct, frozen=True):
    """What an undo or redo would do, for the prompt. `kept`: files that a person edited since the last run, and whose
    edits are preserved; `paths`: files that would change."""

    id: str
    title: str
    run: Run
    files: int
    hunks: int
    kept: list[str]
    paths: list[str]
    done_at: int
    writes: list[Write]


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
    """Carries out again, on top of the current files, an action that was undone, or whose change git took away. Raises
    the same errors as `undo`, and Stale in the middle of a rebase or the like."""
    return _run(log, home, proposal_id, "redo", now, on_step)


def refuse_if_gone(log: Log, home: Home, proposal: Proposal) -> None:
    """Raises Stale (5) if a patch was carried out and nothing of it is in the tree any more: git took it away, or it is
    on another branch. Nothing is said of a tree or a pre-image that cannot be read."""
    done = proposal.last_done
    if done is None or not isinstance(proposal.raised.action, PatchAction):
        return
    try:
        with open_tree(log, proposal) as tree:
            found = _merged(home, proposal, "undo", tree)
    except (NotFound, Denied, OutcomeUnknown):
        return
    if found.absent and not found.writes and not found.conflicts:
        raise Stale(
            f"{proposal.id} was carried out, and its change is no longer in this tree; nothing was written",
            f"`kairos redo {proposal.id}` applies it again.",
        )


def _run(log: Log, home: Home, proposal_id: str, run: Run, now: int | None, on_step: OnStep) -> Proposal:
    with exec_lock(home):
        at = standing(log, proposal_id)
        moment = now_us() if now is None else now
        with open_tree(log, at.proposal) as tree:
            at = recovery.settle(log, home, at, tree, now=moment)
            plan = _plan(log, home, at.proposal, run, tree)
            try:
                return perform(
                    log, home, at, run, tree, plan.writes, now=moment, kept=plan.kept,
                    emptied=_made(home, at.proposal) if run == "undo" else (), on_step=on_step,
                ).proposal  # fmt: skip
            except Conflict as error:
                raise Stale(
                    f"{at.proposal.id} changed at the same moment: nothing was written", "Try again."
                ) from error


def _plan_alone(log: Log, home: Home, proposal_id: str, run: Run) -> UndoPlan:
    proposal = standing(log, proposal_id).proposal
    with open_tree(log, proposal) as tree:
        return _plan(log, home, proposal, run, tree)


def _plan(log: Log, home: Home, proposal: Proposal, run: Run, tree: WorkTree) -> UndoPlan:
    done = proposal.last_done
    allowed = proposal.state in (DONE if run == "undo" else RAN)
    if allowed and not isinstance(proposal.raised.action, PatchAction):
        raise Stale(f"{proposal.id} ran a command, and a command cannot be undone", "Reverse by hand what it did.")
    if done is None or not allowed or not isinstance(proposal.raised.action, PatchAction):
        raise Stale(f"{proposal.id} is {proposal.state}: there is nothing to {run}", f"`kairos show {proposal.id}`.")
    if run == "redo":
        gate.refuse_if_ongoing(proposal, tree.root, "redo")
    found = _merged(home, proposal, run, tree, _left(log, proposal, run))
    if run == "redo":
        _refuse_without_basis(proposal, tree)
    if found.conflicts:
        words = f"{proposal.id} cannot be {run}ne cleanly; nothing was written."
        raise Stale("\n".join([words, *found.conflicts]), "Resolve these places by hand, then try again.")
    if found.absent or not found.writes:
        raise _elsewhere(proposal, run, found.absent, [w.path for w in found.writes])
    edits = proposal.raised.action.edits
    return UndoPlan(
        proposal.id, proposal.raised.title, run, len(edits), sum(max(1, len(e.hunks)) for e in edits),
        sorted(found.kept), [w.path for w in found.writes], proposal.changed_at, found.writes,
    )  # fmt: skip


class _Merges(NamedTuple):
    """What a run would write, file by file: the writes, the files whose later edits are kept, the conflicts in words,
    and the files that do not have the change (an undo) or have it already (a redo)."""

    writes: list[Write]
    kept: list[str]
    conflicts: list[str]
    absent: list[str]


def _merged(home: Home, proposal: Proposal, run: Run, tree: WorkTree, left: Sequence[Expected] = ()) -> _Merges:
    """The three-way merges of a run with the files as they are. `left`: how the last run left them."""
    done = proposal.last_done
    assert done is not None
    contents = preimages.fetch(home, done.store, [e.sha for e in (*done.before, *done.expect) if e.sha])
    base, wanted = _states(done.expect, contents), _states(done.before, contents)
    if run == "redo":
        base, wanted = wanted, base
    left_at = {e.fs: e for e in left}
    found = _Merges([], [], [], [])
    for path in base:
        if _equal(base[path], wanted[path]):
            continue  # the run did not change it
        try:
            ours = tree.read(path)
        except NotPlain as error:
            found.conflicts.append(error.message)
            continue
        merged = merge(home, path, base=base[path], ours=ours, theirs=wanted[path])
        if merged.conflict:
            found.conflicts.append(merged.conflict)
        elif _equal(ours, merged.blob):
            found.absent.append(path)
        else:
            found.writes.append(Write(path, ours, merged.blob))
            if _edited(ours, left_at.get(path)) and not _equal(merged.blob, wanted[path]):
                found.kept.append(path)
    return found


def _left(log: Log, proposal: Proposal, run: Run) -> Sequence[Expected]:
    """How the last run left its files: the one that an undo reverses, or the undo that a redo follows."""
    assert proposal.last_done is not None
    if run == "undo":
        return proposal.last_done.expect
    if proposal.state in DONE:  # git took the change away
        return proposal.last_done.before
    runs = [r.event for r in log.stream(proposal.stream) if isinstance(r.event, ExecutionStarted)]
    return next((e.expect for e in reversed(runs) if e.run == "undo"), proposal.last_done.before)


def _edited(ours: Blob | None, left: Expected | None) -> bool:
    """Whether a file is not as a run left it."""
    if ours is None or left is None:
        return ours is not None or left is not None
    return ours.sha != left.sha or (left.mode is not None and ours.mode != left.mode)


def _refuse_without_basis(proposal: Proposal, tree: WorkTree) -> None:
    """Raises Stale (5) if the paths that the action rests on are not as it needs them. The commits are not asked for:
    an amended one is the same change."""
    if proposal.raised.basis is not None:
        paths = msgspec.structs.replace(proposal.raised.basis, commits=[], blobs=[], refs=[])
        amiss = missing(paths, basis_tree(Git(tree.root), [paths]))
        if amiss is not None:
            raise Stale(f"{proposal.id} is stale: {amiss.why}", "Nothing was written.")


def _elsewhere(proposal: Proposal, run: Run, absent: Sequence[str], present: Sequence[str]) -> Stale:
    """The error for a change that is not in the tree, or only in some of its files."""
    there = "not in this tree" if run == "undo" else "in this tree already"
    names = _few(absent) or "any file"
    rest = f", only in {_few(present)}" if present and run == "undo" else ""
    if present and run == "redo":
        rest = f", and not in {_few(present)}"
    return Stale(
        f"the change of {proposal.id} is {there}: {'not' if run == 'undo' else 'it is'} in {names}{rest}; "
        f"nothing was written, and {proposal.id} stays {proposal.state}",
        f"Check out the branch that has it, or settle these files by hand; `kairos show {proposal.id}`."
        if run == "undo" and present
        else f"Check out the branch that has it, or apply it again here: `kairos redo {proposal.id}`."
        if run == "undo"
        else f"There is nothing to redo here; `kairos show {proposal.id}`.",
    )


def _few(paths: Sequence[str]) -> str:
    """The first paths by name, and how many more there are."""
    more = len(paths) - _NAMED
    return ", ".join(map(shown, sorted(paths)[:_NAMED])) + (f" and {count(more, 'more file')}" if more > 0 else "")


def _states(expected: Sequence[Expected], contents: dict[str, bytes]) -> dict[str, Blob | None]:
    out: dict[str, Blob | None] = {}
    for state in expected:
        if state.sha is None:
            out[state.fs] = None
        elif state.sha not in contents:
            raise OutcomeUnknown(
                f"the undo store no longer has what {shown(state.fs)} was", "It cannot be undone; use your own history."
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
