"""Git revisions as people type them (HEAD, a branch, a tag, HEAD~1, a short id), resolved to a commit."""

from __future__ import annotations

from pathlib import Path

from kairos.desk.desk import Desk
from kairos.desk.reading import repositories
from kairos.errors import KairosError, NotFound
from kairos.eventlog.views.repositories import Repository
from kairos.home import machine
from kairos.repo.git import Git

_MOST_LETTERS = 256


def commit_named(desk: Desk, text: str, only: Repository | None, here: Path) -> tuple[str, Repository] | None:
    """The commit that a revision names, and its repository; None if it names none. Asked is the repository `only`, or
    the one that `here` lies in, or each that is watched. NotFound if it is another commit in another repository."""
    if not 0 < len(text) <= _MOST_LETTERS or "\0" in text:
        return None
    found: dict[str, Repository] = {}
    for repository in _asked(desk, only, here):
        try:
            oid = Git(Path(repository.root)).commit(text)
        except (KairosError, OSError):
            continue  # lost, or not readable now
        if oid is not None:
            found.setdefault(oid, repository)
    if len(found) > 1:
        roots = ", ".join(sorted(r.root for r in found.values())[:5])
        raise NotFound(f"`{text}` is another commit in each of {roots}", "Name one repository: --repo PATH.")
    return next(iter(found.items()), None)


def _asked(desk: Desk, only: Repository | None, here: Path) -> list[Repository]:
    known = repositories(desk)
    if only is not None:
        return [only]
    around = (known.at(str(folder), machine()) for folder in (here, *here.parents))
    nearest = next((r for r in around if r is not None), None)
    return [nearest] if nearest is not None else sorted(known.watched(), key=lambda r: r.root)
