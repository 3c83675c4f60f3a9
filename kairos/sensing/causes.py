"""Finds the differences that git made: paths that differ between the commits of a move and are clean in the index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kairos.repo.git import Git, GitError
from kairos.sensing.refs import Move, RefSnapshot

_EMPTY = {40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
          64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"}  # fmt: skip
_HEADS = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD")


@dataclass
class Touched:
    """The paths that one move of git may have written. `stashed`: path → blob of a popped stash, which the index does
    not contain. `position`: that of its GitMoved, None until it is appended."""

    paths: set[bytes]
    stashed: Mapping[bytes, str] = field(default_factory=dict)
    position: int | None = None


def touched_by(git: Git, old: RefSnapshot, new: RefSnapshot, move: Move) -> Touched | None:
    """The paths that a move may have written to the work tree; None if it writes none."""
    paths: set[bytes] = set()
    stashed: dict[bytes, str] = {}
    for came_from, went_to in move.steps:
        if came_from != went_to:
            paths |= _between(git, came_from, went_to)
    for name in _HEADS:
        before, after = old.special.get(name), new.special.get(name)
        if before != after:
            for oid in filter(None, (before, after)):
                paths |= _between(git, new.head_oid, oid)
    before, after = old.refs.get("refs/stash"), new.refs.get("refs/stash")
    if before != after:
        for oid in filter(None, (before, after)):
            found = _stash(git, oid)
            paths |= found.keys()
            if oid == before:
                stashed = found
    return Touched(paths, stashed) if paths else None


def unclean(git: Git) -> set[bytes]:
    """The tracked paths whose file differs from the index."""
    out = git.run("diff-files", "-z", "--name-only", "--ignore-submodules=all")
    return set(filter(None, out.split(b"\0")))


def _between(git: Git, old: str | None, new: str | None) -> set[bytes]:
    length = len(old or new or "0" * 40)
    ends = [oid or _EMPTY[length] for oid in (old, new)]
    try:
        out = git.run(
            "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-relative", "--end-of-options", *ends
        )
    except GitError:
        return set()
    return set(filter(None, out.split(b"\0")))


def _stash(git: Git, oid: str) -> dict[bytes, str]:
    """Path → blob (empty: deleted) of what a stash holds, untracked files included."""
    found = dict(_raw(git, f"{oid}^1", oid))
    if git.commit(f"{oid}^3") is not None:
        found |= _raw(git, None, f"{oid}^3")
    return found


def _raw(git: Git, old: str | None, new: str) -> Iterable[tuple[bytes, str]]:
    ends = ["--root", "--no-commit-id", new] if old is None else [old, new]
    try:
        out = git.run("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-relative", *ends)
    except GitError:
        return []
    fields = out.split(b"\0")
    pairs = []
    for meta, path in zip(fields[::2], fields[1::2], strict=False):
        words = meta.lstrip(b":").split(b" ")
        if len(words) == 5:
            oid = words[3].decode("ascii")
            pairs.append((path, "" if set(oid) == {"0"} else oid))
    return pairs
