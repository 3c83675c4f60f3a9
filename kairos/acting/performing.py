"""One run of an approved action, its undo or its redo: stores the pre-images, records the start, writes the files and
records the outcome.

The caller holds `exec.lock`. `ExecutionStarted` is durable before the first byte changes. Unless the process crashes
or the tree or the log cannot be written, exactly one outcome is appended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from kairos.acting import applying, preimages
from kairos.acting.applying import LeftUnknown, OnStep, RolledBack, Write, no_step
from kairos.acting.worktree import NotPlain, WorkTree, expected
from kairos.domain import deciding
from kairos.domain import proposal as proposals
from kairos.domain.events import Event
from kairos.domain.events.proposals import Run
from kairos.domain.proposal import Proposal
from kairos.errors import Conflict, NotFound, TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Origin
from kairos.eventlog.views.inbox import Inbox, InboxView
from kairos.eventlog.views.repositories import RepositoriesView
from kairos.home import Home

# Bytes: the minimum size of a file on disk, and the most it can take beyond its content.
_BLOCK = 4096


class Standing(msgspec.Struct, frozen=True):
    """The current state of a proposal in the log; `last` is the position of its last event, the cause of the next."""

    proposal: Proposal
    last: int


def standing(log: Log, proposal_id: str) -> Standing:
    """The current fold of one proposal. NotFound."""
    return standing_in(InboxView().load(log)[0], proposal_id)


def standing_in(inbox: Inbox, proposal_id: str) -> Standing:
    """The fold of one proposal in an inbox. NotFound."""
    found = inbox.find(proposal_id)
    return Standing(found, inbox.positions[found.id][-1])


def append(log: Log, at: Standing, events: Sequence[Event], *, origin: Origin = "system", now: int) -> Standing:
    """Appends events to a proposal's stream and folds them. Conflict if other events were appended meanwhile."""
    if not events:
        return at
    stream = at.proposal.stream
    news = [NewEvent(stream, e, at.last if n == 0 else -1, origin) for n, e in enumerate(events)]
    positions = log.append(news, expected={stream: at.proposal.version})
    folded: Proposal | None = at.proposal
    for event in events:
        folded = proposals.evolve(folded, event, now)
    assert folded is not None
    return Standing(folded, positions[-1])


def open_tree(log: Log, proposal: Proposal) -> WorkTree:
    """Opens the work tree of a proposal's repository. NotFound if the repository is not watched or its directory is
    gone, Denied if the directory is not the one that was trusted."""
    repo = RepositoriesView().load(log)[0].by_id.get(proposal.raised.repo)
    if repo is None or not repo.watched:
        raise NotFound(f"the repository of {proposal.id} is not watched", "`kairos init PATH` registers it.")
    return WorkTree(Path(repo.root), (repo.dev, repo.ino))


def perform(
    log: Log,
    home: Home,
    at: Standing,
    run: Run,
    tree: WorkTree,
    writes: Sequence[Write],
    *,
    now: int,
    kept: Sequence[str] = (),
    emptied: Sequence[str] = (),
    on_step: OnStep = no_step,
) -> Standing:
    """Makes the writes and returns the proposal afterwards: executed, undone, redone, failed or unknown.

    `kept`: paths whose later edits are preserved, for the record; `emptied`: directories to remove if they are empty.
    Stale or Conflict if the proposal may not run, TryAgain (75) if the disk is full; then nothing was written."""
    execution = f"{at.proposal.id}-{at.proposal.version + 1}"
    _refuse_if_full(tree, writes)
    made = applying.folders_to_make(tree, writes)
    states = [s for w in writes for s in (w.before, w.after) if s is not None]
    started = deciding.start_run(
        at.proposal, run, execution=execution, now=now, store=preimages.ref_of(execution),
        expect=[expected(w.path, w.after) for w in writes], before=[expected(w.path, w.before) for w in writes],
    )  # fmt: skip
    preimages.keep(home, execution, (s.content for s in states), made)
    on_step("stored")
    at = append(log, at, started, origin="system" if run == "apply" else "user", now=now)
    on_step("started")
    try:
        signatures = applying.apply(tree, execution, writes, made, on_step)
    except RolledBack as error:
        seen, why = [tree.signature(w.path) for w in writes], error.why
        return conclude(log, at, lambda p: deciding.finish_run(p, "rolled_back", signatures=seen, why=why), now=now)
    except LeftUnknown as error:
        lost = error.paths
        return conclude(log, at, lambda p: deciding.lose_run(p, lost), now=now)
    except (OSError, NotPlain) as error:
        why = error.message if isinstance(error, NotPlain) else error.strerror or str(error)
        raise TryAgain(
            f"{tree.root} cannot be written: {why}; {at.proposal.id} is settled when it can be written",
            "Free some space or check the disk.",
        ) from error
    for folder in reversed(emptied):
        tree.remove_folder(folder)
    on_step("applied")
    return conclude(log, at, lambda p: deciding.finish_run(p, "done", signatures=signatures, kept=kept), now=now)


def _refuse_if_full(tree: WorkTree, writes: Sequence[Write]) -> None:
    """Raises TryAgain if the disk is too full, before the run starts: a failed run would use up the approval."""
    needed = sum(_BLOCK + len(w.after.content) for w in writes if w.after is not None)
    if needed > tree.free_bytes():
        raise TryAgain(f"the disk that holds {tree.root} is full: nothing was written", "Free some space.")


def conclude(log: Log, at: Standing, events: Callable[[Proposal], list[Event]], *, now: int) -> Standing:
    """Appends the outcome of a run. Only the holder of the lock can end a run, so after a Conflict (a delivery was
    recorded meanwhile, for example) the proposal is read again and the append is retried."""
    for _ in range(8):
        try:
            return append(log, at, events(at.proposal), now=now)
        except Conflict:
            at = standing(log, at.proposal.id)
    raise Conflict(f"{at.proposal.id} changed at each of many attempts", "Run `kairos doctor`.")
