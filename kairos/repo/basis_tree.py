"""Reads what is needed of a repository to tell whether bases hold, in as few git processes as possible."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial

from kairos.domain.basis import Basis, BasisTree, oids_of, paths_of
from kairos.repo.beneath import Unreadable, read_beneath
from kairos.repo.git import Git
from kairos.repo.objects import Objects

_NAMED = 8
"""Of so many commits that are not in the history of HEAD the refs that lead to them are named."""


def basis_tree(
    git: Git, bases: Iterable[Basis | None], tracked: Callable[[], frozenset[str]] | None = None
) -> BasisTree:
    """What these bases ask of a repository. Git runs only for what they name: two or three processes for all their
    commits together, one more for each of a few that are elsewhere, one for the index if a path is not as it should be,
    none for paths alone. GitError.

    `tracked` gives the paths in the index, if the caller knows them."""
    asked = [b for b in bases if b is not None]
    oids = sorted({oid for b in asked for oid in oids_of(b)})
    objects = Objects(git)
    in_head, in_refs = objects.reachable(oids) if oids else (frozenset[str](), frozenset[str]())
    away = [g for b in asked for g in b.commits if in_head.isdisjoint(g.oids) and not in_refs.isdisjoint(g.oids)]
    wide = sorted({oid for g in away if g.reach == "head_or_remote" for oid in g.oids if oid in in_refs})
    ends = {next(oid for oid in reversed(g.oids) if oid in in_refs) for g in away if g.reach != "refs"}
    existing = frozenset(p for b in asked for p in paths_of(b) if _exists(git, p))
    amiss = any(_amiss(b, existing) for b in asked if b.commits)
    index = tracked or partial(_tracked, git)
    return BasisTree(
        in_head=in_head,
        in_refs=in_refs,
        in_remotes=frozenset(objects.pushed(wide)) if wide else frozenset(),
        holders={oid: objects.refs_with(oid) for oid in sorted(ends)[:_NAMED]},
        existing=existing,
        tracked=index() if amiss else frozenset(),
        blobs={n.fs: found for b in asked for n in b.blobs if (found := _blob(git, n.fs)) is not None},
        refs={r.name: oid for b in asked for r in b.refs if (oid := git.commit(r.name)) is not None},
    )


def _exists(git: Git, path: str) -> bool:
    """Whether anything is at a path inside the work tree, a dangling link included."""
    return ".." not in path.split("/") and "\0" not in path and os.path.lexists(git.root / path)


def _amiss(basis: Basis, existing: frozenset[str]) -> bool:
    return any(n.fs not in existing for n in basis.present) or any(n.fs in existing for n in basis.absent)


def _tracked(git: Git) -> frozenset[str]:
    return frozenset(git.tracked())


def _blob(git: Git, path: str) -> tuple[str, int] | None:
    from kairos.domain.action import content_sha

    try:
        found = read_beneath(git.root, path)
    except (Unreadable, ValueError):
        return None
    return content_sha(found.data), 0o755 if found.mode & 0o100 else 0o644
