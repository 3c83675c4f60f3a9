"""Finds tracked files by content, with one `git grep` over the work tree as a prefilter."""

from __future__ import annotations

import os
from collections.abc import Sequence

from kairos.repo.git import Git

_FEW = 200
_FIXED = ("grep", "-l", "-z", "-I", "-F", "--no-color", "--no-recurse-submodules", "--threads=2", "--full-name")


def only_in(paths: Sequence[str]) -> list[bytes] | None:
    """Pathspecs for just these paths, None if they are too many: git compares each with every path of the index."""
    return [b":(literal,top)" + os.fsencode(path) for path in paths] if len(paths) <= _FEW else None


def files_naming(
    git: Git, needles: Sequence[str], pathspecs: Sequence[str | bytes] = (), *, words: bool = True
) -> list[str]:
    """Tracked text files that contain one of the fixed strings, sorted; with `words` only as whole words.

    `pathspecs` are git pathspecs (a glob crosses directories). Needles with a line break find nothing."""
    wanted = sorted({n for n in needles if n and "\n" not in n and "\r" not in n and "\0" not in n})
    if not wanted:
        return []
    patterns = b"".join(os.fsencode(needle) + b"\n" for needle in wanted)
    return _found(git, [*_FIXED, *(["-w"] if words else []), "-f", "-", "--", *pathspecs], patterns)


def files_with_lines(git: Git, starts: Sequence[str]) -> list[str]:
    """Tracked text files that have, for each of `starts`, a line that begins with it, sorted. The caller escapes basic
    regex metacharacters."""
    patterns = [option for start in starts for option in ("-e", f"^{start}")]
    fixed = [option for option in _FIXED if option != "-F"]
    return _found(git, [*fixed, "-G", "--all-match", *patterns, "--"], None)


def _found(git: Git, args: Sequence[str | bytes], stdin: bytes | None) -> list[str]:
    """The paths that `git grep` lists; its exit status 1 means that nothing matches."""
    out = git.run(*args, stdin=stdin, ok=(0, 1))
    return sorted(os.fsdecode(path) for path in out.split(b"\0") if path)
