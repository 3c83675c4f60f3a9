"""What git's ignore files and attributes say of paths, in the work tree of a repository."""

from __future__ import annotations

import os
from collections.abc import Sequence

from kairos.repo.beneath import components
from kairos.repo.git import Git


def covered(git: Git, paths: Sequence[str]) -> dict[str, str]:
    """Those of these paths that an ignore rule covers, tracked or not, with the rule; one that begins with `!` keeps
    its path. No rule covers what git refuses to judge: a path out of the tree, or beyond a symbolic link. GitError."""
    links: dict[str, bool] = {}
    asked = [p for p in paths if is_plain(p) and not _is_beyond_a_link(git, p, links)]
    if not asked:
        return {}
    out = git.run("check-ignore", "--verbose", "-z", "--stdin", "--no-index", stdin=_joined(asked), ok=(0, 1))
    fields = out.split(b"\0")
    return {os.fsdecode(p): os.fsdecode(rule) for rule, p in zip(fields[2::4], fields[3::4], strict=False)}


def attribute(git: Git, name: str, paths: Sequence[str]) -> dict[str, str]:
    """The value of an attribute for each of these paths that has one. GitError."""
    asked = [p for p in paths if is_plain(p)]
    fields = git.run("check-attr", "-z", "--stdin", name, stdin=_joined(asked)).split(b"\0") if asked else []
    stated = zip(fields[::3], fields[2::3], strict=False)
    return {os.fsdecode(path): os.fsdecode(value) for path, value in stated if value != b"unspecified"}


def is_plain(path: str) -> bool:
    """Whether a path (of a directory: with a slash at its end) names something inside of a work tree."""
    try:
        components(path.removesuffix("/"))
    except ValueError:
        return False
    return True


def _is_beyond_a_link(git: Git, path: str, links: dict[str, bool]) -> bool:
    """Whether a directory on the way to a path is a symbolic link; `links`: what was found out so far."""
    at = path.find("/")
    while 0 <= at < len(path) - 1:
        above = path[:at]
        if above not in links:
            links[above] = (git.root / above).is_symlink()
        if links[above]:
            return True
        at = path.find("/", at + 1)
    return False


def _joined(paths: Sequence[str]) -> bytes:
    return b"".join(os.fsencode(p) + b"\0" for p in paths)
