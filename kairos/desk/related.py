"""Files that change together, now or as of a moment, according to history; files that do not exist are left out."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from kairos.clock import SECOND, parse_time
from kairos.errors import NotFound, UsageError
from kairos.eventlog.log import Log
from kairos.eventlog.views.repositories import Repository
from kairos.memory.claims import Claims
from kairos.memory.history import HistoryView, Related, learned_at, learned_until, related_in_history
from kairos.repo.git import Git, GitError

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_MARGIN = 40
"""How many extra results to request, so that enough remain after deleted files are left out."""


def related_now(log: Log, claims: Claims, repository: Repository, paths: Sequence[str], limit: int) -> list[Related]:
    """Files related to these paths today. A former name means the file that it was renamed to."""
    learner = HistoryView().load(log)[0].of(repository.id)
    former = {c.memory.subject: c.memory.value for c in claims.open(repository.id, "rename")}
    asked = [path if learner.knows(path) else former.get(path, path) for path in paths]
    found = related_in_history(learner, asked, limit + _MARGIN)
    return _living(found, living_tree(repository, "HEAD"), limit)


def related_then(log: Log, repository: Repository, paths: Sequence[str], limit: int, as_of: str) -> list[Related]:
    """Files related to these paths according to history at a commit (with its ancestors) or a time. NotFound,
    UsageError."""
    if _TIME.fullmatch(as_of):
        try:
            at_s = parse_time(as_of) // SECOND
        except ValueError:
            raise UsageError(f"`{as_of}` is not a time", "Give an ISO date or time, or a commit.") from None
        return related_in_history(learned_until(log, repository.id, at_s), paths, limit)
    commit = _commit(repository, as_of)
    found = related_in_history(learned_at(log, repository.id, commit), paths, limit + _MARGIN)
    return _living(found, living_tree(repository, commit), limit)


def _living(found: Sequence[Related], tree: frozenset[str] | None, limit: int) -> list[Related]:
    return [r for r in found if tree is None or r.path in tree][:limit]


def living_tree(repository: Repository, commit: str) -> frozenset[str] | None:
    """The paths of a commit; None if the repository cannot be read."""
    try:
        raw = Git(Path(repository.root)).run("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
    except GitError:
        return None
    return frozenset(os.fsdecode(path) for path in raw.split(b"\0") if path)


def _commit(repository: Repository, name: str) -> str:
    """The object id of a commit, as git resolves this name; the name itself if git cannot resolve it."""
    if name.startswith("-"):
        raise NotFound(f"`{name}` is not a commit", "Give an object id, a ref, or an ISO date.")
    try:
        return Git(Path(repository.root)).text("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    except GitError:
        return name
