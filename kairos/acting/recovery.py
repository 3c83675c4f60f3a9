"""Recovery after a crash: settles runs that started and never ended by comparing the tree with the expected files.

    state of the expected files      action                                  outcome
    -------------------------------  --------------------------------------  -------------------------------
    all as after the run             none                                    rolled_forward: executed
    all as before the run            none                                    rolled_back: nothing changed
    each as before or as after, or   complete the rest from the undo store   rolled_forward
      a rewrite in place cut short
      (contents not in the store)    none                                    unknown, with the rest named
    at least one in another state    none                                    unknown, with those named
    (a command, not a patch)         none: files do not show if it ran       unknown

A run whose repository is unavailable stays open until the repository is available again. `exec.lock` is held.
"""

from __future__ import annotations

from collections.abc import Callable

from kairos.acting import applying, preimages
from kairos.acting.applying import OnStep, no_step, place, temporary
from kairos.acting.keeping import is_torn
from kairos.acting.lock import exec_lock
from kairos.acting.performing import Standing, conclude, open_tree, standing_in
from kairos.acting.worktree import Blob, NotPlain, WorkTree
from kairos.clock import now_us
from kairos.domain import deciding
from kairos.domain.action import PatchAction
from kairos.domain.events import ExecutionStarted, Expected
from kairos.domain.proposal import Proposal
from kairos.errors import Denied, NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.views.inbox import Inbox, InboxView
from kairos.home import Home


def recover(
    log: Log,
    home: Home,
    *,
    now: int | None = None,
    on_step: OnStep = no_step,
    is_mine: Callable[[str], bool] = lambda repo: True,
) -> list[Proposal]:
    """Settles every open run in the repositories that `is_mine` accepts and returns their proposals. Call it at start.

    The files decide the outcome, so a run stays open while its repository is unavailable."""

    def ours(inbox: Inbox) -> list[Proposal]:
        return [p for p in inbox.live() if p.state == "executing" and is_mine(p.raised.repo)]

    if not ours(InboxView().load(log)[0]):
        return []
    settled = []
    with exec_lock(home):
        inbox = InboxView().load(log)[0]
        for proposal in ours(inbox):
            moment = now_us() if now is None else now
            try:
                tree = open_tree(log, proposal)
            except (NotFound, Denied):
                continue
            with tree:
                at = standing_in(inbox, proposal.id)
                settled.append(settle(log, home, at, tree, now=moment, on_step=on_step).proposal)
    return settled


def settle(log: Log, home: Home, at: Standing, tree: WorkTree, *, now: int, on_step: OnStep = no_step) -> Standing:
    """Settles the open run of one proposal, if there is one, by recording its outcome. The caller holds `exec.lock`."""
    started = at.proposal.execution
    if started is None:
        return at
    if not isinstance(at.proposal.raised.action, PatchAction):
        return conclude(log, at, lambda p: deciding.lose_run(p, []), now=now)
    after = {e.fs: e for e in started.expect}
    before = {e.fs: e for e in started.before}
    now_there = {path: _read(tree, path) for path in after}
    at_after = {p for p in after if _matches(now_there[p], after[p])}
    at_before = {p for p in after if _matches(now_there[p], before[p])}
    torn = _torn(tree, home, started, now_there, set(after) - at_after - at_before)
    foreign = sorted(set(after) - at_after - at_before - torn)
    made = preimages.made_by(home, started.store)
    if foreign:
        applying.clear(tree, started.execution, _reachable(tree, after), [])
        return conclude(log, at, lambda p: deciding.lose_run(p, foreign), now=now)
    forward = bool(at_after - at_before) or bool(torn) or at_before == at_after
    if forward:
        target, rest = after, [p for p in after if p not in at_after]
    else:
        target, rest = before, [p for p in after if p not in at_before]
    contents = preimages.fetch(home, started.store, (target[p].sha or "" for p in rest if target[p].sha))
    if any(target[p].sha and target[p].sha not in contents for p in rest):
        return conclude(log, at, lambda p: deciding.lose_run(p, rest), now=now)
    for path in rest:
        _place(tree, started, path, target[path], contents, new=now_there[path] is None)
        on_step(f"settled {path}")
    undone = at.proposal.last_done if forward and started.run == "undo" else None
    gone = preimages.made_by(home, undone.store) if undone is not None else [] if forward else made
    applying.clear(tree, started.execution, after, gone)
    signatures = [tree.signature(p) for p in after]
    outcome = "rolled_forward" if forward else "rolled_back"
    why = "interrupted and " + ("completed" if forward else "put back") + " after a crash"
    kept = sorted(p for p in after if forward and started.run == "undo" and _kept(at.proposal, p, after[p]))
    return conclude(
        log, at, lambda p: deciding.finish_run(p, outcome, signatures=signatures, why=why, kept=kept), now=now
    )


def _place(
    tree: WorkTree, started: ExecutionStarted, path: str, state: Expected, contents: dict[str, bytes], *, new: bool
) -> None:
    blob = None if state.sha is None else Blob(contents[state.sha], 0o644 if state.mode is None else state.mode)
    place(tree, started.execution, path, blob, new=new)


def _read(tree: WorkTree, path: str) -> Blob | NotPlain | None:
    try:
        return tree.read(path)
    except NotPlain as error:
        return error


def _torn(
    tree: WorkTree, home: Home, started: ExecutionStarted, there: dict[str, Blob | NotPlain | None], paths: set[str]
) -> set[str]:
    """Those of these paths whose rewrite in place was cut short: the new content is still staged beside them, and what
    is there is a mixture of the old and the new one."""
    found = set()
    after, before = {e.fs: e.sha for e in started.expect}, {e.fs: e.sha for e in started.before}
    for path in paths:
        present, new, old = there[path], after[path], before[path]
        if not isinstance(present, Blob) or new is None or old is None:
            continue
        try:
            staged = tree.staged(path, temporary(started.execution, path))
        except NotPlain:
            continue
        if staged is None or staged.sha != new:
            continue
        contents = preimages.fetch(home, started.store, (new, old))
        if len(contents) == len({new, old}) and is_torn(present.content, contents[old], contents[new]):
            found.add(path)
    return found


def _reachable(tree: WorkTree, paths: dict[str, Expected]) -> list[str]:
    """The paths that can still be reached without following a symbolic link."""
    return [p for p in paths if not isinstance(_read(tree, p), NotPlain)]


def _matches(found: Blob | NotPlain | None, state: Expected) -> bool:
    if isinstance(found, NotPlain):
        return False
    if found is None or state.sha is None:
        return found is None and state.sha is None
    return found.sha == state.sha and found.executable == bool((state.mode or 0) & 0o100)


def _kept(proposal: Proposal, path: str, undone_to: Expected) -> bool:
    """Whether an undo preserved a later edit of the user: `path` was not restored to its state before the action."""
    first = proposal.last_done
    if first is None:
        return False
    return any(b.fs == path and b.sha != undone_to.sha for b in first.before)
