"""The check without a patch: run once for a tree and used for every proposal that is tried in it.

A tree is known by the commit that is checked out and the content of what differs from it; files that git ignores are
not part of it. What was run is in the log (`ProposalVerified.before_tree`); this process also remembers the last ones.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import cast

import msgspec

from kairos.acting.scratch import Verification
from kairos.domain.proposal import Proposal
from kairos.repo.git import Git, GitError
from kairos.settings import Check

_MOST_REMEMBERED = 32
_MOST_FILES, _MOST_BYTES, _MOST_IN_ALL = 500, 8 << 20, 32 << 20
"""A tree that differs from its commit in more files, in a larger one, or in more bytes in all, is not compared: the
check runs again."""
_remembered: OrderedDict[str, BeforeRun] = OrderedDict()


class BeforeRun(msgspec.Struct, frozen=True, kw_only=True):
    """How the check ended without the patch. `tree`: what it ran on, empty if that is not known."""

    tree: str
    exit: int | None
    output: str
    seconds: float


def before_run(root: Path, check: Check, known: Sequence[Proposal], run: Callable[[], Verification]) -> BeforeRun:
    """How the check ends in the tree as it is. Runs it unless this tree was run before; `known`: proposals whose trials
    may have done so."""
    tree = _tree_of(root, check)
    found = _remembered.get(tree) or _of_trials(tree, known) if tree else None
    if found is not None:
        return found
    done = run()
    same = tree if done.stopped is None and _tree_of(root, check) == tree else ""
    ran = BeforeRun(tree=same, exit=done.exit, output=done.output_tail, seconds=round(done.seconds, 3))
    if same:
        _remembered[same] = ran
        while len(_remembered) > _MOST_REMEMBERED:
            _remembered.popitem(last=False)
    return ran


def _of_trials(tree: str, known: Sequence[Proposal]) -> BeforeRun | None:
    for p in known:
        v = p.verified
        if v is not None and v.before_tree == tree:
            return BeforeRun(tree=tree, exit=v.before_exit, output=v.before_output, seconds=v.before_seconds)
    return None


def _tree_of(root: Path, check: Check) -> str:
    """A hash of what the check would run on and of the check; empty if it cannot be told in short time."""
    git = Git(root)
    try:
        commit = git.head()
        entries = _first_of(git.stream("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"))
    except GitError:
        return ""
    if commit is None or len(entries) > _MOST_FILES:
        return ""
    whole = hashlib.sha256(msgspec.json.encode([str(root), commit, check]))
    left = _MOST_IN_ALL
    for entry in entries:
        content = _content(root / os.fsdecode(entry[3:]))
        left -= 0 if content is None else len(content)
        if content is None or left < 0:
            return ""
        whole.update(b"%d\0%s\0%s" % (len(entry), entry, hashlib.sha256(content).digest()))
    return whole.hexdigest()


def _first_of(entries: Iterator[bytes]) -> list[bytes]:
    """The entries, one more than is compared at most: git is ended when nobody reads on."""
    with closing(cast(Generator[bytes], entries)) as found:
        return list(islice(filter(None, found), _MOST_FILES + 1))


def _content(path: Path) -> bytes | None:
    """What is at a path, with its mode; None if it is too large or cannot be read."""
    try:
        seen = path.lstat()
        if path.is_symlink():
            return b"link\0" + os.fsencode(path.readlink())
        if not path.is_file():
            return None
        if seen.st_size > _MOST_BYTES:
            return None
        return b"%o\0" % seen.st_mode + path.read_bytes()
    except FileNotFoundError:
        return b"gone"
    except OSError:
        return None
