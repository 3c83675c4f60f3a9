"""A commit's tree as a scratch view: what must be laid over the work tree so that its files are those of the commit.

Files that git ignores (target/, a build directory) stay visible, as the check needs them, and so do virtual
environments and node_modules, ignored or not; other untracked files are taken away. Nothing in the work tree changes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from pathlib import Path

from kairos.acting.confine import Seed
from kairos.errors import KairosError
from kairos.repo.git import Git
from kairos.repo.objects import BYTES_LIMIT, Objects

_MODES = {"100644": 0o644, "100755": 0o755}
_SHOWN = frozenset({*_MODES, "120000"})
_LARGEST = 16 << 20
_ENVIRONMENT, _DEPENDENCIES = "pyvenv.cfg", "node_modules"
"""The file that makes a directory a virtual environment, and the name of the directory that npm fills."""


class TreeRefused(KairosError):
    """A commit whose tree cannot be laid over the work tree."""

    name = "tree_refused"


def tree_of(git: Git, commit: str) -> str:
    """The id of a commit's tree. GitError."""
    return git.text("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")


def seed_of(git: Git, commit: str, *, every: bool = False) -> Seed:
    """What to lay over the work tree: path → content and mode, None to remove it. `every`: all files of the commit, so
    that edits meanwhile are not seen. TreeRefused, GitError."""
    wanted = _differing(git, commit)
    if every:
        wanted |= _files(git, commit)
    gone = [p for p, (mode, _) in wanted.items() if mode == "000000" and _is_file(git.root, p)]
    gone += [p for p in untracked(git) if p not in wanted]
    links = [p for p, (mode, _) in wanted.items() if mode == "120000"]
    if links:
        raise TreeRefused(f"a symbolic link differs from the work tree: {os.fsencode(links[0])!r}")
    files = {p: (mode, oid) for p, (mode, oid) in wanted.items() if mode in _MODES}
    blobs = Objects(git).blobs([oid for _, oid in files.values()], each=_LARGEST)
    lacking = next((p for p, (_, oid) in files.items() if oid not in blobs), None)
    if lacking is not None:
        raise TreeRefused(
            f"the tree of {commit[:12]} differs from the work tree by more than {BYTES_LIMIT >> 20} MB, "
            f"or its objects are not here"
        )
    return {
        **dict.fromkeys(gone),
        **{path: (blobs[oid], _MODES[mode]) for path, (mode, oid) in files.items()},
    }


def whole_tree(git: Git, commit: str) -> Seed:
    """Every regular file of a commit: path → content and mode; links are left out. TreeRefused if it is too large."""
    files = _files(git, commit)
    blobs = Objects(git).blobs([oid for _, oid in files.values()], each=_LARGEST)
    if any(oid not in blobs for _, oid in files.values()):
        raise TreeRefused(
            f"the tree of {commit[:12]} holds more than {BYTES_LIMIT >> 20} MB, or its objects are not here"
        )
    return {path: (blobs[oid], _MODES[mode]) for path, (mode, oid) in files.items()}


def disturbed(git: Git, commit: str, seed: Collection[str]) -> bool:
    """Whether files changed in the work tree that the view of a commit showed through."""
    now = {p for p, (mode, _) in _differing(git, commit).items() if mode in _SHOWN or _is_file(git.root, p)}
    return not now | set(untracked(git)) <= set(seed)


def untracked(git: Git) -> list[str]:
    """The untracked files that git does not ignore, without those of installed dependencies."""
    out = git.run("ls-files", "-z", "--others", "--exclude-standard")
    found = [os.fsdecode(p) for p in out.split(b"\0") if p and not p.endswith(b"/")]
    kept = tuple(p.removesuffix(_ENVIRONMENT) for p in found if p.endswith(f"/{_ENVIRONMENT}"))
    return [p for p in found if not p.startswith(kept) and _DEPENDENCIES not in p.split("/")[:-1]]


def _differing(git: Git, commit: str) -> dict[str, tuple[str, str]]:
    """Path → (mode, blob) in a commit, of what may differ in the work tree; mode 000000: it is not in the commit."""
    out = git.run("diff-index", "--raw", "-z", "--no-renames", "--no-abbrev", "--end-of-options", commit, "--")
    fields = iter(out.split(b"\0"))
    found = {}
    for head in fields:
        if head.startswith(b":"):
            mode, _, oid, *_ = head[1:].decode("ascii").split()
            found[os.fsdecode(next(fields))] = (mode, oid)
    # git tells of a link as well that was only made again; a file is laid over in any case.
    links = {path: oid for path, (mode, oid) in found.items() if mode == "120000"}
    targets = Objects(git).blobs(links.values()) if links else {}
    same = {path for path, oid in links.items() if _target(git.root, path) == targets.get(oid)}
    return {path: wanted for path, wanted in found.items() if path not in same}


def _target(root: Path, path: str) -> bytes:
    """What a link leads to; nothing if there is no link."""
    try:
        return os.fsencode((root / path).readlink())
    except OSError:
        return b""


def _files(git: Git, commit: str) -> dict[str, tuple[str, str]]:
    """Path → (mode, blob) of all regular files of a commit."""
    out = git.run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit)
    found = {}
    for record in filter(None, out.split(b"\0")):
        fields, _, path = record.partition(b"\t")
        mode, _, oid = fields.decode("ascii").split()
        if mode in _MODES:
            found[os.fsdecode(path)] = (mode, oid)
    return found


def _is_file(root: Path, path: str) -> bool:
    try:
        return not stat.S_ISDIR((root / path).lstat().st_mode)
    except OSError:
        return False
