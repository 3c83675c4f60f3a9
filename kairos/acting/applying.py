"""Changes several files all or nothing: stages every new file in its directory, then renames each into place.

No file in the tree changes before all new contents are durable. If a path is not in its expected state, the run stops
and the files that were already renamed are restored from the pre-images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

import msgspec

from kairos.acting.worktree import Blob, NotPlain, WorkTree, same
from kairos.domain.events import Signature
from kairos.domain.inert import shown
from kairos.errors import KairosError

OnStep = Callable[[str], None]


def no_step(_: str) -> None:
    """The step hook of production runs, a no-op. Tests pass a hook that kills the process at the k-th step."""


class Write(msgspec.Struct, frozen=True):
    """One path with its state before and after the write. None means that there is no file."""

    path: str
    before: Blob | None
    after: Blob | None


class RolledBack(Exception):
    """The run failed and every file is in its previous state. `moved`: paths that were not in their expected state."""

    def __init__(self, why: str, moved: Sequence[str] = ()) -> None:
        super().__init__(why)
        self.why = why
        self.moved = list(moved)


class LeftUnknown(Exception):
    """The run failed, and rolling back would overwrite what another process wrote at `paths`."""

    def __init__(self, why: str, paths: Sequence[str]) -> None:
        super().__init__(why)
        self.why = why
        self.paths = list(paths)


def temporary(execution: str, path: str) -> str:
    """The temporary name of a path in one execution. It is deterministic, so that recovery can compute it."""
    seed = execution.encode() + b"\0" + path.encode("utf-8", "surrogateescape")
    return f".kairos-{sha256(seed).hexdigest()[:20]}.tmp"


def folders_to_make(tree: WorkTree, writes: Iterable[Write]) -> list[str]:
    """The directories that these writes need and that do not exist, outermost first."""
    found: dict[str, None] = {}
    for write in writes:
        if write.after is not None:
            found |= dict.fromkeys(tree.missing_parents(write.path))
    return list(found)


def apply(
    tree: WorkTree, execution: str, writes: Sequence[Write], made: Sequence[str], on_step: OnStep = no_step
) -> list[Signature]:
    """Makes every write and returns the signature (lstat) of each path.

    RolledBack if a write fails; LeftUnknown if the rollback would overwrite a change by another process."""
    done: list[Write] = []
    try:
        for folder in made:
            tree.make_folder(folder)
            on_step(f"folder {folder}")
        for write in writes:
            if write.after is not None:
                tree.remove(write.path, temporary(execution, write.path))
                tree.stage(write.path, temporary(execution, write.path), write.after)
                on_step(f"staged {write.path}")
        for write in writes:
            _switch(tree, execution, write)
            done.append(write)
            on_step(f"placed {write.path}")
    except (OSError, NotPlain) as error:
        moved = [error.path] if isinstance(error, _Moved) else []
        why = error.message if isinstance(error, KairosError) else error.strerror or str(error)
        _back(tree, execution, writes, done, made, why)
        raise RolledBack(why, moved) from error
    for folder in dict.fromkeys(w.path.rpartition("/")[0] for w in writes):
        tree.sync(f"{folder}/x" if folder else "x")
    for folder in made:
        tree.sync(folder)
    return [tree.signature(w.path) for w in writes]


def clear(tree: WorkTree, execution: str, paths: Iterable[str], made: Sequence[str]) -> None:
    """Removes the temporary files of a run, and the directories it made (`made`) that are empty."""
    for path in paths:
        tree.remove(path, temporary(execution, path))
    for folder in reversed(made):
        tree.remove_folder(folder)


class _Moved(NotPlain):
    """A path changed after the gate had checked it and before it was written."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{shown(path)} changed while the action was being carried out")
        self.path = path


def _switch(tree: WorkTree, execution: str, write: Write) -> None:
    """Puts one path into its new state if it is still as the gate saw it.

    A change between the check and the rename is missed: a window of two system calls."""
    seen = write.before.seen if write.before is not None else None
    if seen is not None:
        if tree.signature(write.path) != seen:
            raise _Moved(write.path)
    elif not same(tree.read(write.path), write.before):
        raise _Moved(write.path)
    if write.after is None:
        tree.remove(write.path)
        return
    try:
        tree.put(write.path, temporary(execution, write.path), new=write.before is None)
    except FileExistsError as error:
        raise _Moved(write.path) from error


def _back(
    tree: WorkTree, execution: str, writes: Sequence[Write], done: Sequence[Write], made: Sequence[str], why: str
) -> None:
    """Rolls back the writes that were made; LeftUnknown with the paths that cannot be restored."""
    lost: list[str] = []
    for write in reversed(done):
        try:
            if not same(tree.read(write.path), write.after):
                lost.append(write.path)
                continue
            place(tree, execution, write.path, write.before, new=write.after is None)
        except (OSError, NotPlain):
            lost.append(write.path)
    clear(tree, execution, [w.path for w in writes], made)
    if lost:
        raise LeftUnknown(why, lost)


def place(tree: WorkTree, execution: str, path: str, blob: Blob | None, *, new: bool) -> None:
    """Puts one path into the state `blob` (None: no file), through a temporary file."""
    if blob is None:
        tree.remove(path)
        return
    for folder in tree.missing_parents(path):
        tree.make_folder(folder)
    tree.remove(path, temporary(execution, path))
    tree.stage(path, temporary(execution, path), blob)
    tree.put(path, temporary(execution, path), new=new)
    tree.sync(path)
