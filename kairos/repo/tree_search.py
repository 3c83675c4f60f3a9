"""Finds files of a work tree by name and by content, natively. Nothing private, ignored or outside the tree is told.

See `native/src/search`. Paths are file-system strings, as everywhere here.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import NamedTuple

from kairos import _native
from kairos.repo.git import Git


class Left(NamedTuple):
    """What was not looked at: files by reason, directories, and lines that were not searched to their end."""

    private: int = 0
    large: int = 0
    binary: int = 0
    unreadable: int = 0
    directories: int = 0
    long_lines: int = 0


class PathPage(NamedTuple):
    """A page of paths. `more`: others follow; `late`: the time was over before all was looked at; `files`: how many
    match (as far as was looked)."""

    paths: list[str]
    more: bool
    late: bool
    files: int
    left: Left


class FoundLine(NamedTuple):
    """A line that matches (`hit`) or is near one that does; a long one is cut around its match."""

    number: int
    hit: bool
    text: str


class FileHits(NamedTuple):
    """A file with matches: how many lines match, and the lines to show."""

    path: str
    hits: int
    lines: list[FoundLine]


class LinePage(NamedTuple):
    """A page of hits by file. `more`, `late`: as of a PathPage; `files`: how many were searched."""

    found: list[FileHits]
    more: bool
    late: bool
    files: int
    left: Left


class LineQuestion(NamedTuple):
    """What to look for: a regular expression over one line (`literal`: a text) in the files that a glob names. A page
    is so many hits, with `before` and `after` lines around each, or so many files (`per_file`: hits are only
    counted)."""

    pattern: str
    glob: str = "*"
    ignore_case: bool = False
    literal: bool = False
    before: int = 0
    after: int = 0
    per_file: bool = False
    offset: int = 0
    limit: int = 100


def _pathspec(glob: str) -> list[str]:
    """A pathspec that takes every path which a glob matches, so that git need not list the others; none where git reads
    the glob otherwise."""
    plain = glob.removeprefix("./").lstrip("/")
    if not plain or any(c in plain for c in "{}\\[]"):
        return []
    whole = f"{plain}*" if plain.endswith("/") else plain if "/" in plain else f"*{plain}"
    return [f":(top){whole.replace('**/', '*')}"]  # here `*` crosses directories: git is slow where it must not


class TreeSearch:
    """The files of one work tree as a reader may see them. `private` and `public` are regular expressions over paths:
    what the first matches and the second does not is never told."""

    def __init__(self, git: Git, private: str, public: str) -> None:
        self._git, self._private, self._public = git, private, public

    @cached_property
    def _tree(self) -> _native.Tree:
        excludes, common = self._git.excludes_file(), self._git.common_dir()
        return _native.Tree(
            os.fsencode(self._git.root), private=self._private, public=self._public, git_dir=os.fsencode(common),
            excludes_file=None if excludes is None else os.fsencode(excludes),
            index=os.fsencode(self._git.git_dir() / "index"),
        )  # fmt: skip

    def lists(self, path: str) -> bool:
        """Whether there is such a file, tracked or not ignored, and it may be told. OSError."""
        return self._ready.lists(os.fsencode(path))

    def paths(self, glob: str, offset: int, limit: int, seconds: float) -> PathPage:
        """Files whose path matches, by path. ValueError for a glob that cannot be read; OSError."""
        rows, more, late, files, left = self._ready.paths(glob, offset, limit, seconds)
        return PathPage([os.fsdecode(p) for p in rows], more, late, files, Left(*left))

    def tracked(self, glob: str, offset: int, limit: int) -> PathPage:
        """The same of the index, where files may be missing in the tree. GitError."""
        names = self._git.run("ls-files", "-z", "--cached", "--deduplicate", "--", *_pathspec(glob), timeout=30)
        rows, more, late, files, left = self._tree.chosen(names, glob, offset, limit)
        return PathPage([os.fsdecode(p) for p in rows], more, late, files, Left(*left))

    def lines(self, question: LineQuestion, seconds: float) -> LinePage:
        """Lines that match, by file. ValueError for a pattern or glob that cannot be used; OSError."""
        rows, more, late, files, left = self._ready.lines(
            question.pattern, glob=question.glob, ignore_case=question.ignore_case, literal=question.literal,
            around=(question.before, question.after), per_file=question.per_file, offset=question.offset,
            limit=question.limit, seconds=seconds,
        )  # fmt: skip
        found = [
            FileHits(
                os.fsdecode(path), hits, [FoundLine(n, hit, text.decode("utf-8", "replace")) for n, hit, text in lines]
            )
            for path, hits, lines in rows
        ]
        return LinePage(found, more, late, files, Left(*left))

    @cached_property
    def _ready(self) -> _native.Tree:
        """The tree with its tracked paths: where the index is of a form that is not read natively, git names them."""
        if not self._tree.reads_index():
            names = self._git.run("ls-files", "-z", "--cached", "--deduplicate", timeout=30)
            self._tree.set_tracked(names.split(b"\0")[:-1])
        return self._tree
