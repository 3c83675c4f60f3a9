"""Finds tracked files by content, with one `git grep` over the work tree as a prefilter."""

from __future__ import annotations

import os
from collections.abc import Sequence

from kairos.repo.git import Git

_PLAIN = ("grep", "-z", "-I", "--no-color", "--no-recurse-submodules", "--threads=2", "--full-name")
_FIXED = (*_PLAIN, "-l", "-F")
_FEW = 200


def only_in(paths: Sequence[str]) -> list[str] | None:
    """Pathspecs for just these paths; None if they are too many, because git compares each with every tracked path."""
    return [f":(literal,top){path}" for path in paths] if len(paths) <= _FEW else None


def files_naming(
    git: Git, needles: Sequence[str], pathspecs: Sequence[str] = (), *, words: bool = True, tree: str = ""
) -> list[str]:
    """Tracked text files that contain one of the fixed strings, sorted; with `words` only as whole words.

    `pathspecs` are git pathspecs (a glob crosses directories). Needles with a line break find nothing. `tree`: the
    object id of a commit to search instead of the work tree."""
    wanted = sorted({n for n in needles if n and "\n" not in n and "\r" not in n and "\0" not in n})
    if not wanted:
        return []
    patterns = b"".join(os.fsencode(needle) + b"\n" for needle in wanted)
    return _found(git, [*_FIXED, *(["-w"] if words else []), "-f", "-"], pathspecs, patterns, tree)


def files_with_lines(git: Git, starts: Sequence[str], *, tree: str = "") -> list[str]:
    """Tracked text files that have, for each of `starts`, a line that begins with it, sorted. The caller escapes basic
    regex metacharacters. `tree` as for `files_naming`."""
    patterns = [option for start in starts for option in ("-e", f"^{start}")]
    return _found(git, [*_PLAIN, "-l", "-G", "--all-match", *patterns], (), None, tree)


def lines_naming(
    git: Git, needles: Sequence[str], per_file: int, pathspecs: Sequence[str] = (), *, tree: str = ""
) -> list[tuple[str, int, str]]:
    """(path, line from 1 on, text) of lines that contain one of the fixed strings as whole words, at most `per_file` of
    a file. `pathspecs` and `tree` as for `files_naming`."""
    args = [*_PLAIN, "-n", "-F", "-w", f"--max-count={per_file}", "-f", "-", *([tree] if tree else []), "--"]
    args += pathspecs
    out = git.run(*args, stdin=b"".join(os.fsencode(n) + b"\n" for n in needles), ok=(0, 1))
    rows = (row.split(b"\0", 2) for row in out.split(b"\n"))
    return [
        (_path(row[0], tree), int(row[1]), os.fsdecode(row[2])) for row in rows if len(row) == 3 and row[1].isdigit()
    ]


def _found(git: Git, args: Sequence[str], pathspecs: Sequence[str], stdin: bytes | None, tree: str) -> list[str]:
    """The paths that `git grep` lists; its exit status 1 means that nothing matches."""
    out = git.run(*args, *([tree] if tree else []), "--", *pathspecs, stdin=stdin, ok=(0, 1))
    return sorted(_path(path, tree) for path in out.split(b"\0") if path)


def _path(name: bytes, tree: str) -> str:
    """The path of a line of output; in a tree it stands behind the name of the tree and a colon."""
    return os.fsdecode(name[len(tree) + 1 :] if tree else name)
