"""The briefing before a change: what usually changes with what is being changed and does not yet, and what is
remembered about it. Asked for, never told: a guess about a file that was left out is no finding (ADR 33)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kairos.clock import now_us
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.reading import roots_of
from kairos.desk.records.memory import BriefOut, CompanionOut
from kairos.desk.related import living_tree
from kairos.desk.remembering import claims, inside, memory_out, repository_of
from kairos.domain.inert import as_text
from kairos.domain.memory import score
from kairos.errors import NotFound
from kairos.eventlog.views.repositories import Repository
from kairos.memory.claims import Claim, Claims
from kairos.memory.counts import Estimate
from kairos.memory.history import LEAST, HistoryView
from kairos.repo.git import Git, GitError

LEAST_COMMITS = 3
"""From so many commits on a dream remembers a pair, too (`dream/extract.py`)."""
_MOST_PATHS = 200
_ALWAYS = frozenset({"command", "preference"})
"""Kinds of memories that are about every change of a repository."""


@of_one_moment
def brief(desk: Desk, chosen: Repository | None, paths: Sequence[str], limit: int) -> BriefOut:
    """The briefing about these paths, or (none given) about what differs from HEAD in the work tree. NotFound (4)."""
    repository = chosen or repository_of(desk, paths or ["."])
    asked = [inside(repository, path) for path in paths] or changed(repository)
    known = claims(desk)
    former = {c.memory.subject: c.memory.value for c in known.open(repository.id, "rename")}
    learner = HistoryView().load(desk.log)[0].of(repository.id)
    if paths:
        root = Path(repository.root)
        lost = [p for p in asked if not (learner.knows(p) or p in former or os.path.lexists(root / p))]
        if lost:
            raise NotFound(
                f"{repository.root} has no {as_text(lost[0])}, and no commit in the log has it", "Check the path."
            )
    here = [path if learner.knows(path) else former.get(path, path) for path in asked[:_MOST_PATHS]]
    tree, taken = living_tree(repository, "HEAD"), {*asked, *here}
    best: dict[str, tuple[Estimate, str]] = {}
    for path in here:
        for found in learner.related([path], limit + len(taken), guess=False):
            if found.support < LEAST_COMMITS or found.confidence < LEAST or found.path in taken:
                continue
            if (tree is None or found.path in tree) and (
                found.path not in best or best[found.path][0].confidence < found.confidence
            ):
                best[found.path] = (found, path)
    ranked = sorted(best.values(), key=lambda b: (-b[0].confidence, b[0].path))[:limit]
    return BriefOut(
        repo=repository.root, paths=[as_text(p) for p in asked],
        companions=[
            CompanionOut(
                path=as_text(e.path), changes_with=as_text(path), confidence=round(e.confidence, 4),
                support=e.support, cites=e.cites,
            )
            for e, path in ranked
        ],
        memories=[memory_out(c, roots_of(desk)) for c in _about(known, repository.id, taken)[:limit]],
    )  # fmt: skip


def changed(repository: Repository) -> list[str]:
    """The tracked files that differ from HEAD and the new ones that are staged, sorted. NotFound if git cannot tell."""
    try:
        out = Git(Path(repository.root)).run(
            "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all",
            "HEAD", "--",
        )  # fmt: skip
    except GitError as error:
        raise NotFound(f"git cannot tell what changed in {repository.root}: {error.message}", "Name a path.") from error
    return sorted(os.fsdecode(path) for path in out.split(b"\0") if path)


def _about(known: Claims, repo: str, paths: set[str]) -> list[Claim]:
    """The memories of a repository that are about these paths or about every change, the most worth first."""
    now = now_us()
    found = [
        c for c in known.open(repo)
        if not c.memory.quarantined and c.memory.kind != "co-change"
        and (c.memory.kind in _ALWAYS or c.memory.subject in paths or c.memory.value in paths)
    ]  # fmt: skip
    return sorted(found, key=lambda c: (-score(c.memory, at=now, uses=c.uses, against=c.against), c.memory.id))
