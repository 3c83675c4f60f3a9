"""Changes several files all or nothing: stages every new file in its directory, then puts each into place.

No file in the tree changes before all new contents are durable. A file that is replaced or removed stays beside its
place until the end, so if a path is not in its expected state, the run stops and the same files are brought back. A
file with several names is rewritten in place (`keeping`), and put back in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Literal

import msgspec

from kairos.acting.keeping import is_torn
from kairos.acting.worktree import Blob, NotPlain, WorkTree, same
from kairos.domain.events import Signature
from kairos.domain.inert import shown
from kairos.errors import KairosError

OnStep = Callable[[str], None]
How = Literal["placed", "exchanged", "aside", "rewritten"]
"""How a path got its new state: by a rename, by a swap with the old file, which is then beside it, by a rename of the
old file to beside it, or in place."""


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
    done: list[tuple[Write, How]] = []
    stays: set[str] = set()
    try:
        for folder in made:
            tree.make_folder(folder)
            on_step(f"folder {folder}")
        for write in writes:
            if write.after is not None:
                tree.remove(write.path, temporary(execution, write.path))
                if not tree.stage(write.path, temporary(execution, write.path), write.after):
                    stays.add(write.path)
                on_step(f"staged {write.path}")
        for write in writes:
            _switch(tree, execution, write, done, on_step, stays=write.path in stays)
            on_step(f"placed {write.path}")
    except (OSError, NotPlain) as error:
        moved = [error.path] if isinstance(error, _Moved) else []
        why = error.message if isinstance(error, KairosError) else error.strerror or str(error)
        _back(tree, execution, writes, done, made, why)
        raise RolledBack(why, moved) from error
    for write, _ in done:
        tree.remove(write.path, temporary(execution, write.path))
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


def _switch(
    tree: WorkTree, execution: str, write: Write, done: list[tuple[Write, How]], on_step: OnStep, *, stays: bool
) -> None:
    """Puts one path into its new state if it is still as the gate saw it, and notes how.

    A change between the check and the rename is missed: a window of two system calls."""
    if not _is_expected(tree, write):
        if write.after is not None and stays and same(tree.read(write.path), write.after):
            done.append((write, "rewritten"))  # through another of its names
            return
        raise _Moved(write.path)
    beside = temporary(execution, write.path)
    if write.after is None:
        tree.set_aside(write.path, beside)
        done.append((write, "aside"))
    elif stays:
        done.append((write, "rewritten"))
        tree.rewrite(write.path, write.after, lambda: on_step(f"rewriting {write.path}"))
    elif write.before is not None and tree.exchange(write.path, beside):
        done.append((write, "exchanged"))
    else:
        try:
            tree.put(write.path, beside, new=write.before is None)
        except FileExistsError as error:
            raise _Moved(write.path) from error
        done.append((write, "placed"))


def _is_expected(tree: WorkTree, write: Write) -> bool:
    """Whether a path is as the gate saw it. Times alone may differ: they do when another name of the same file was
    removed, and on file systems that round them late."""
    seen = write.before.seen if write.before is not None else None
    if seen is not None and tree.signature(write.path) == seen:
        return True
    found = tree.read(write.path)
    return same(found, write.before) and (found is None or write.before is None or found.mode == write.before.mode)


def _back(
    tree: WorkTree,
    execution: str,
    writes: Sequence[Write],
    done: Sequence[tuple[Write, How]],
    made: Sequence[str],
    why: str,
) -> None:
    """Rolls back the writes that were made; LeftUnknown with the paths that cannot be restored."""
    lost: list[str] = []
    for write, how in reversed(done):
        try:
            if not _bring_back(tree, execution, write, how):
                lost.append(write.path)
        except (OSError, NotPlain):
            lost.append(write.path)
    clear(tree, execution, [w.path for w in writes], made)
    if lost:
        raise LeftUnknown(why, lost)


def _bring_back(tree: WorkTree, execution: str, write: Write, how: How) -> bool:
    """Puts one path back; False if it is not as this run left it."""
    found, beside = tree.read(write.path), temporary(execution, write.path)
    if how == "rewritten":
        assert write.before is not None and write.after is not None
        if same(found, write.before) and found is not None and found.mode == write.before.mode:
            return True
        if found is None or not is_torn(found.content, write.before.content, write.after.content):
            return False
        tree.rewrite(write.path, write.before, lambda: None)
        return True
    if not same(found, write.after):
        return False
    if how == "aside":
        tree.put(write.path, beside, new=True)
    elif how == "placed" or not tree.exchange(write.path, beside):
        place(tree, execution, write.path, write.before, new=write.after is None)
    return True


def place(tree: WorkTree, execution: str, path: str, blob: Blob | None, *, new: bool) -> None:
    """Puts one path into the state `blob` (None: no file), through a temporary file or, if it must stay the same file,
    in place."""
    if blob is None:
        tree.remove(path)
        return
    for folder in tree.missing_parents(path):
        tree.make_folder(folder)
    beside = temporary(execution, path)
    tree.remove(path, beside)
    if tree.stage(path, beside, blob):
        tree.put(path, beside, new=new)
    else:
        tree.rewrite(path, blob, lambda: None)
        tree.remove(path, beside)
    tree.sync(path)
