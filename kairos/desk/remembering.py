"""Running a dream now, and reading memories with their evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kairos.clock import now_us, rfc3339
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.given import typed
from kairos.desk.reading import repositories, roots_of, short
from kairos.desk.records.memory import DreamChangeOut, MemoryOut, RelatedOut
from kairos.errors import NotFound, UsageError
from kairos.home import machine

if TYPE_CHECKING:
    from kairos.eventlog.views.repositories import Repository
    from kairos.memory.claims import Claim, Claims

_VERBS = {"MemoryAccepted": "learned", "MemorySuperseded": "gave way", "MemoryInvalidated": "dropped"}


def dream_changes(desk: Desk, *, dry_run: bool, only: Repository | None = None) -> list[DreamChangeOut]:
    """Runs the dream in its own process and returns its events. `only`: of a dry run, the changes of one repository;
    UsageError for a real one. TryAgain (75) while another dream runs."""
    if only is not None and not dry_run:
        raise UsageError(
            "a dream consolidates the log of all repositories", "Leave --repo out, or look first: add --dry-run."
        )
    changes = dream_child(desk, ["--manual", *(["--dry-run"] if dry_run else [])])
    return changes if only is None else [c for c in changes if _repository_of(desk, c) == only.id]


def _repository_of(desk: Desk, change: DreamChangeOut) -> str:
    """The id of the repository that a changed memory is about; empty for a file of several."""
    new = change.data.get("memory")
    if isinstance(new, dict):
        return str(new.get("repo", ""))
    known = claims(desk).by_id.get(str(change.data.get("id", "")))
    return "" if known is None else known.memory.repo


def dream_child(desk: Desk, args: Sequence[str]) -> list[DreamChangeOut]:
    """Runs `python -P -m dream` with these arguments; it always repairs the memory files as well."""
    from kairos.schedule.children import Child, child_environment

    _ = desk.config  # the child does not read all of it, but every command reports a wrong configuration
    desk.home.prepare()
    environment = child_environment()
    if desk.home_override is not None:
        environment["KAIROS_HOME"] = str(desk.home.data)
    out = Child().run("dream", ["--json", *args], cwd=desk.home.data, environment=environment, seconds=3_600)
    return [DreamChangeOut(**json.loads(line)) for line in out.splitlines()]


def claims(desk: Desk) -> Claims:
    """Everything remembered, open and closed."""
    from kairos.memory.claims import MemoryView

    return desk.view(MemoryView())


def by_importance(changes: Sequence[DreamChangeOut]) -> list[DreamChangeOut]:
    """What was learned first, the memories worth most before others; then what gave way or was dropped; files last."""
    from kairos.domain.events import Memory
    from kairos.domain.memory import score

    now = now_us()

    def order(change: DreamChangeOut) -> tuple[int, float]:
        if "memory" in change.data:
            return 0, -score(msgspec.convert(change.data["memory"], Memory), at=now)
        return (1 if change.type in _VERBS else 2), 0.0

    return sorted(changes, key=order)


def in_words(change: DreamChangeOut) -> tuple[str, str]:
    """(verb, what) of a memory event, for a person. Not escaped yet."""
    return _VERBS.get(change.type, change.type), _what(change)


def _what(change: DreamChangeOut) -> str:
    data = change.data
    if "memory" in data:
        return f"{data['memory']['kind']}: {data['memory']['text']}"
    if "file" in data:
        kept = f", kept as {data['kept']}" if data.get("kept") else ""
        return f"{data['file']} was {data['what']} by hand{kept}"
    return f"{data.get('id', '')}: {data.get('why', '')} {data.get('detail', '')}".rstrip()


@of_one_moment
def listed(desk: Desk, only: Repository | None, *, kind: str | None = None, closed: bool = False) -> list[MemoryOut]:
    """Memories of one repository or of all, highest score first; with `closed` also closed ones."""
    from kairos.domain.memory import score

    now = now_us()
    found = [
        c
        for c in claims(desk).by_id.values()
        if (closed or c.is_open) and (only is None or c.memory.repo == only.id) and kind in (None, c.memory.kind)
    ]
    found.sort(key=lambda c: (-score(c.memory, at=now, uses=c.uses, against=c.against), c.memory.id))
    roots = roots_of(desk)
    return [memory_out(c, roots) for c in found]


@of_one_moment
def recall(desk: Desk, query: str, limit: int, only: Repository | None) -> list[MemoryOut]:
    """The memories that answer a query best, each with its `score`."""
    from kairos.memory.recall import recall as search

    found = search(claims(desk), query, limit, repo=only.id if only else None)
    roots = roots_of(desk)
    return [memory_out(c, roots, round(s, 4)) for c, s in found]


@of_one_moment
def memory(desk: Desk, id_: str, only: Repository | None = None) -> MemoryOut:
    """One memory by its id or a unique prefix, of one repository if one is given. NotFound (4)."""
    claim = claims(desk).find(id_)
    if only is not None and claim.memory.repo != only.id:
        raise NotFound(f"{claim.memory.id} is not about {only.root}", "Leave --repo out, or name its repository.")
    return memory_out(claim, roots_of(desk))


def letters(desk: Desk) -> dict[str, str]:
    """Each memory's id → its shortest unambiguous prefix."""
    return short(list(claims(desk).by_id))


@of_one_moment
def related(
    desk: Desk, chosen: Repository | None, paths: Sequence[str], limit: int, as_of: str | None
) -> list[RelatedOut]:
    """Files that history says change together with these paths, now or as of a commit or a time."""
    from kairos.desk.related import related_now, related_then

    repository = chosen or repository_of(desk, paths)
    asked = [inside(repository, path) for path in paths]
    if as_of is None:
        found = related_now(desk.log, claims(desk), repository, asked, limit)
    else:
        found = related_then(desk.log, repository, asked, limit, as_of)
    return [RelatedOut(path=r.path, confidence=r.confidence, support=r.support, cites=r.cites) for r in found]


def memory_out(claim: Claim, roots: Mapping[str, str], score: float | None = None) -> MemoryOut:
    """A claim as a record for scripts. `roots`: repository id → root."""
    m = claim.memory
    return MemoryOut(
        id=m.id, repo=m.repo, kind=m.kind, subject=m.subject, predicate=m.predicate, value=m.value, text=m.text,
        cites=m.cites, support=m.support, confidence=m.confidence, trust=m.trust, valid_from=rfc3339(m.valid_from),
        valid_to=None if claim.valid_to is None else rfc3339(claim.valid_to), recorded=claim.recorded,
        retired=claim.retired, state="open" if claim.is_open else "closed", why=claim.why, by=claim.by,
        uses=claim.uses, score=score, repo_path=roots.get(m.repo),
    )  # fmt: skip


def repository_of(desk: Desk, paths: Sequence[str]) -> Repository:
    """The repository that holds the first path or the current directory, else the only one. NotFound."""
    known = repositories(desk)
    for start in (typed(paths[0]).absolute(), Path.cwd()):
        for folder in (start, *start.parents):
            found = known.at(str(folder), machine())
            if found is not None:
                return found
    if len(known.by_id) == 1:
        return next(iter(known.by_id.values()))
    raise NotFound(f"{paths[0]} is in no repository that Kairos knows", "Name the repository with --repo.")


def inside(repository: Repository, path: str) -> str:
    """A path as typed, relative to the root: resolved against the current directory if that is inside the repository,
    else unchanged."""
    root = Path(repository.root)
    here = Path.cwd() if Path.cwd().is_relative_to(root) else root
    for base in (here, root):
        found = base / typed(path)
        if found.exists() and found.resolve().is_relative_to(root):
            return found.parent.resolve().joinpath(found.name).relative_to(root).as_posix()
    found = root / typed(path)
    return found.relative_to(root).as_posix() if found.is_relative_to(root) else path
