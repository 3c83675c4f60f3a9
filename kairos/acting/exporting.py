"""Copies the changes of a confined run into the user's tree: the exportable ones, all or nothing, through the same
steps as an approved patch."""

from __future__ import annotations

from kairos.acting import applying
from kairos.acting.applying import LeftUnknown, RolledBack, Write
from kairos.acting.confine import ConfinedRun, ExportedChange, WithheldChange
from kairos.acting.worktree import Blob, NotPlain, WorkTree, mode_after

MOVED = "changed since the run began"


def export(run: ConfinedRun) -> tuple[WithheldChange, ...]:
    """Applies the exportable changes of a run to its original tree; returns the changes that could not be applied.

    If any path cannot be changed, or differs from its state when the run began, nothing is written. A run that was
    stopped by a limit exports nothing. NotFound if the tree is gone, Denied if it was replaced."""
    if run.stopped is not None:
        return tuple(WithheldChange(change.path, f"the run was stopped: {run.stopped}") for change in run.changes)
    if run.held is None or not run.changes:
        return ()
    with WorkTree(run.root, run.identity) as tree:
        writes: list[Write] = []
        refused: list[WithheldChange] = []
        for change in run.changes:
            try:
                writes.append(_write(tree, change, run.held.began_ns))
            except NotPlain as error:
                refused.append(WithheldChange(change.path, error.message))
            except OSError as error:
                refused.append(WithheldChange(change.path, error.strerror or str(error)))
        return tuple(refused) or _applied(tree, run.room.path.name, writes)


def _write(tree: WorkTree, change: ExportedChange, began_ns: int) -> Write:
    """Converts one change to a write. NotPlain if the path changed since the run began."""
    before = tree.read(change.path)
    touched = before is not None and before.seen is not None and (before.seen.ctime_ns or 0) > began_ns
    if touched or (before is None) != (change.kind == "created"):
        raise NotPlain(MOVED)
    content = change.content
    if content is None:
        return Write(change.path, before, None)
    return Write(change.path, before, Blob(content, mode_after(change.mode == 0o100755, before)))


def _applied(tree: WorkTree, name: str, writes: list[Write]) -> tuple[WithheldChange, ...]:
    made = applying.folders_to_make(tree, writes)
    try:
        applying.apply(tree, name, writes, made)
    except RolledBack as error:
        paths = error.moved or [w.path for w in writes]
        return tuple(WithheldChange(path, f"nothing was written: {error.why}") for path in paths)
    except LeftUnknown as error:
        return tuple(
            WithheldChange(path, f"written, and somebody changed it at once: {error.why}") for path in error.paths
        )
    # Like git, also remove directories that are empty after the removals.
    for write in writes:
        folder = write.path.rpartition("/")[0] if write.after is None else ""
        while folder and tree.remove_folder(folder):
            folder = folder.rpartition("/")[0]
    return ()
