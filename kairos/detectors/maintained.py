"""Decides which files are maintained by hand: no change logs, generated files, vendored code or lock files."""

from __future__ import annotations

import re

_LOCK = re.compile(
    r"(?:^|/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|go\.sum|composer\.lock|gemfile\.lock"
    r"|pipfile\.lock|requirements\.lock|[^/]+\.lock|[^/]+\.lockb|packages\.lock\.json|gradle\.lockfile)$",
    re.IGNORECASE,
)
_HISTORY = re.compile(
    r"(?:^|/)(?:changelog|changes|history|news|release[-_]?notes|releases|deprecat(?:ed|ions?)"
    r"|whats[-_]?new[^/]*)(?:[-_.]v?\d[\w.]*?)?(?:\.[a-z]{1,5})?$"
    r"|(?:^|/)(?:changelog|changelog\.d|changes|history|newsfragments|news|release[-_]?notes|whats[-_]?new|adrs?"
    r"|decisions)/",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\.(?:pyi?|[cm]?[jt]sx?|go|rs|c|h|cc|cpp|cxx|hh|hpp|java|kt|rb|php|css|scss|less|vue|svelte|swift|sh)$",
    re.IGNORECASE,
)
"""A source file called `history.rs` or `news/feed.py` is no history."""
_FOREIGN = re.compile(
    r"(?:^|/)(?:node_modules|vendor|vendored|_vendor|third[-_]party|bower_components|site-packages|dist|\.venv"
    r"|\.tox|\.eggs|[^/]+\.egg-info)/|\.min\.(?:js|css)$|_pb2(?:_grpc)?\.pyi?$|\.(?:map|snap)$",
    re.IGNORECASE,
)
_GENERATED = re.compile(
    r"@generated|\"generated_at\"\s*:|DO NOT EDIT|[Aa]uto-?generated (?:by|file|from)"
    r"|[Gg]enerated by .{1,60}[Dd]o not (?:edit|modify)"
)
_IGNORES = re.compile(r"(?:^|/)(?:\.[a-z]+ignore|bower\.json)$")
"""Lists of what is not published or not looked at. What they name need not be there."""
_HEAD = 1_000


def is_lock_file(path: str) -> bool:
    """Whether the file is a lock file written by a package manager."""
    return _LOCK.search(path) is not None


def is_foreign(path: str) -> bool:
    """Whether the file is vendored or generated, by its path."""
    return _FOREIGN.search(path) is not None


def is_ignore_list(path: str) -> bool:
    """Whether a file mostly names what is left out, so that a deleted file in it misleads nobody."""
    return _IGNORES.search(path) is not None


def kept_by_hand(path: str) -> bool:
    """Whether a person would update this file after a rename. Old names in a change log are history and are kept."""
    is_history = _HISTORY.search(path) is not None and _CODE.search(path) is None
    return not (_LOCK.search(path) or is_history or _FOREIGN.search(path))


def is_generated(text: str) -> bool:
    """Whether the head of the file states that it is generated."""
    return _GENERATED.search(text[:_HEAD]) is not None
