"""Three-way merges of one file with `git merge-file`, outside any repository."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

from kairos.acting.worktree import Blob
from kairos.domain.inert import shown
from kairos.home import Home
from kairos.privacy import make_private
from kairos.repo.git import Git, GitError

_MOST_CONFLICTS = 127


class Merged(NamedTuple):
    """The state of a path after the merge, or the conflict. `kept`: the result contains later edits."""

    blob: Blob | None
    kept: bool
    conflict: str = ""


def merge(home: Home, path: str, *, base: Blob | None, ours: Blob | None, theirs: Blob | None) -> Merged:
    """Applies the change from `base` to `theirs` to `ours`, the current state of the path. None means no file.

    Content and mode are merged separately; a change that is already present is no conflict."""
    if _same(ours, base):
        return Merged(theirs, kept=False)
    if _same(ours, theirs):
        return Merged(ours, kept=False)
    if ours is None:
        return Merged(None, True, f"{shown(path)} was deleted since")
    if base is None:
        return Merged(None, True, f"{shown(path)} exists now and did not before")
    if theirs is None:
        return Merged(None, True, f"{shown(path)} would be removed, and was edited since")
    content = ours.content
    if base.content != theirs.content and ours.content != theirs.content:
        if ours.content == base.content:
            content = theirs.content
        else:
            clean, content = _merge_file(home, base.content, ours.content, theirs.content)
            if not clean:
                return Merged(None, True, f"{shown(path)}:\n{content.decode('utf-8', 'replace')}")
    return Merged(Blob(content, _merge_mode(base, ours, theirs)), kept=True)


def _merge_mode(base: Blob, ours: Blob, theirs: Blob) -> int:
    """The mode of `theirs` if `ours` still has the mode of `base`; otherwise the mode of `ours`, changed at most in its
    executable bits."""
    if ours.mode == base.mode:
        return theirs.mode
    if base.executable == theirs.executable or ours.executable != base.executable:
        return ours.mode
    return ours.mode | (ours.mode & 0o444) >> 2 if theirs.executable else ours.mode & ~0o111


def _same(a: Blob | None, b: Blob | None) -> bool:
    if a is None or b is None:
        return a is None and b is None
    return a.content == b.content and a.mode == b.mode


def _merge_file(home: Home, base: bytes, ours: bytes, theirs: bytes) -> tuple[bool, bytes]:
    """Returns (clean, content); the content has conflict markers if not clean. Content that git considers binary is
    always a conflict."""
    make_private(home.scratch)
    with tempfile.TemporaryDirectory(dir=home.scratch, prefix="merge-") as folder:
        for name, content in (("now", ours), ("base", base), ("wanted", theirs)):
            (Path(folder) / name).write_bytes(content)
        try:
            conflicts, merged = Git(Path(folder)).result(
                "merge-file", "-p", "--diff3", "-L", "as it is now", "-L", "as Kairos left it",
                "-L", "as it should become", "now", "base", "wanted", ok=range(_MOST_CONFLICTS + 1),
            )  # fmt: skip
        except GitError:
            return False, b"its content is not text that can be merged"
    return conflicts == 0, merged
