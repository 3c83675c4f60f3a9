"""`kairos dream` and `kairos memory`: consolidating now, and reading what was learned with its evidence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli import render
from cli.context import Context, pass_context
from cli.given import typed
from cli.outputs import Output
from cli.reading import at_one_moment, names, repositories, selected, short, view
from kairos.clock import now_us, rfc3339
from kairos.errors import NotFound
from kairos.home import machine

if TYPE_CHECKING:
    from kairos.eventlog.views import Repository
    from kairos.memory.claims import Claim, Claims
    from kairos.memory.related import Related


class MemoryOut(Output, frozen=True, kw_only=True):
    """A memory. `cites` are event positions; `valid_from`, `valid_to`: when it was true in the world; `recorded` and
    `retired` are positions; state: open | closed; `score` only for recall."""

    id: str
    repo: str
    kind: str
    subject: str
    predicate: str
    value: str
    text: str
    cites: list[int]
    support: float
    confidence: float
    trust: str
    valid_from: str
    valid_to: str | None
    recorded: int
    retired: int | None
    state: str
    why: str = ""
    by: str = ""
    uses: int = 0
    score: float | None = None


class RelatedOut(Output, frozen=True, kw_only=True):
    """A file that changes together with those asked about: how surely, in how many commits, recorded where."""

    path: str
    confidence: float
    support: int
    cites: list[int]


class DreamChangeOut(Output, frozen=True, kw_only=True):
    """One memory event; `position` is null in a dry run."""

    position: int | None
    type: str
    data: dict[str, Any]


def dream_changes(context: Context, *, dry_run: bool) -> list[DreamChangeOut]:
    """Runs the dream in its own process and returns its events. TryAgain (75) while another dream runs."""
    return dream_child(context, ["--manual", *(["--dry-run"] if dry_run else [])])


def dream_child(context: Context, args: Sequence[str]) -> list[DreamChangeOut]:
    """`python -P -m dream` with these arguments: whatever else it does, it mends the memory files."""
    from kairos.schedule.children import Child, child_environment

    _ = context.config  # the child does without it, and a person hears of a wrong one from every command
    context.home.prepare()
    environment = child_environment()
    if context.home_override is not None:
        environment["KAIROS_HOME"] = str(context.home.data)
    out = Child().run("dream", ["--json", *args], cwd=context.home.data, environment=environment, seconds=3_600)
    return [DreamChangeOut(**json.loads(line)) for line in out.splitlines()]


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would change and write nothing.")
@pass_context
def dream(context: Context, dry_run: bool) -> None:
    """Consolidate what the log taught, now: what came of it, as memory events."""
    changes = dream_changes(context, dry_run=dry_run)
    rows: list[list[render.Cell]] = [[_verb(c.type), _said(c)] for c in changes]
    shown = render.table(rows[:40]) if rows else "  Nothing new was learned."
    if len(rows) > 40:
        shown += (
            f"\n  … and {render.count(len(rows) - 40, 'more change')}: see {render.inert(str(context.home.memory))}"
        )
    if dry_run and rows:
        shown += "\n  Nothing was written."
    render.emit(context, "dream", changes, shown)


@click.group()
def memory() -> None:
    """What was learned, with its evidence."""


@memory.command("ls")
@click.option("--all", "everything", is_flag=True, help="What no longer holds, too.")
@click.option("--kind", help="Only this kind, such as co-change or rename.")
@pass_context
def ls(context: Context, everything: bool, kind: str | None) -> None:
    """Memories that hold, the most worth first."""
    data, text = at_one_moment(context, lambda: _held(context, everything=everything, kind=kind))
    render.emit(context, "memory-ls", data, text, page=True)


def _held(context: Context, *, everything: bool, kind: str | None) -> tuple[list[MemoryOut], str]:
    from kairos.domain.memory import score

    claims, only, now = read_claims(context), selected(context), now_us()
    found = [
        c
        for c in claims.by_id.values()
        if (everything or c.is_open) and (only is None or c.memory.repo == only.id) and kind in (None, c.memory.kind)
    ]
    found.sort(key=lambda c: (-score(c.memory, at=now, uses=c.uses, against=c.against), c.memory.id))
    text = _listed(context, claims, found) if found else "  Nothing is remembered yet.   Next: kairos dream"
    return [memory_out(c) for c in found], text


@memory.command("recall")
@click.argument("query", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 1_000), default=10, show_default=True)
@pass_context
def recall(context: Context, query: tuple[str, ...], limit: int) -> None:
    """The memories that answer QUERY best."""
    data, text = at_one_moment(context, lambda: _recalled(context, " ".join(query), limit))
    render.emit(context, "memory-recall", data, text)


def _recalled(context: Context, query: str, limit: int) -> tuple[list[MemoryOut], str]:
    from kairos.memory.recall import recall as search

    claims, only = read_claims(context), selected(context)
    found = search(claims, query, limit, repo=only.id if only else None)
    text = _listed(context, claims, [c for c, _ in found]) if found else "  Nothing is remembered about that."
    return [memory_out(c, round(s, 4)) for c, s in found], text


@memory.command("related")
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@click.option("--limit", type=click.IntRange(1, 1_000), default=10, show_default=True)
@click.option("--as-of", metavar="COMMIT|TIME", help="What history said then.")
@pass_context
def related(context: Context, paths: tuple[str, ...], limit: int, as_of: str | None) -> None:
    """Files that history says change together with PATH."""
    found = at_one_moment(context, lambda: _related(context, paths, limit, as_of))
    rows: list[list[render.Cell]] = [["SURE", "COMMITS", "FILE", "EVENTS"], *(_related_row(r) for r in found)]
    data = [RelatedOut(path=r.path, confidence=r.confidence, support=r.support, cites=r.cites) for r in found]
    text = render.table(rows, right=(0, 1)) if found else "  No commit shows another file changing with it."
    render.emit(context, "memory-related", data, text)


def _related(context: Context, paths: tuple[str, ...], limit: int, as_of: str | None) -> list[Related]:
    from cli.related import related_now, related_then

    repository = _repository(context, paths)
    asked = [_inside(repository, path) for path in paths]
    if as_of is None:
        return related_now(context.log, read_claims(context), repository, asked, limit)
    return related_then(context.log, repository, asked, limit, as_of)


@memory.command("show")
@click.argument("id_", metavar="ID")
@pass_context
def show(context: Context, id_: str) -> None:
    """One memory: what it says, since when, and the events it rests on."""
    claim = read_claims(context).find(id_)
    out = memory_out(claim)
    m = claim.memory
    rows: list[list[render.Cell]] = [
        ["id", m.id],
        ["says", m.text],
        ["kind", m.kind],
        ["sure", f"{m.confidence:.0%}, from {m.support:g} observations, trust: {m.trust}"],
        ["true", f"since {out.valid_from}" + (f" until {out.valid_to}" if out.valid_to else "")],
        ["cites", ", ".join(map(str, m.cites))],
        ["state", "holds" if claim.is_open else f"closed at event {claim.retired}: {claim.why} {claim.by}".rstrip()],
    ]
    render.emit(context, "memory-show", out, render.table(rows))


def read_claims(context: Context) -> Claims:
    """Everything remembered, open and closed."""
    from kairos.memory.claims import MemoryView

    return view(context, MemoryView())


def memory_out(claim: Claim, score: float | None = None) -> MemoryOut:
    """A claim for a script."""
    m = claim.memory
    return MemoryOut(
        id=m.id, repo=m.repo, kind=m.kind, subject=m.subject, predicate=m.predicate, value=m.value, text=m.text,
        cites=m.cites, support=m.support, confidence=m.confidence, trust=m.trust, valid_from=rfc3339(m.valid_from),
        valid_to=None if claim.valid_to is None else rfc3339(claim.valid_to), recorded=claim.recorded,
        retired=claim.retired, state="open" if claim.is_open else "closed", why=claim.why, by=claim.by,
        uses=claim.uses, score=score,
    )  # fmt: skip


def _listed(context: Context, claims: Claims, found: list[Claim]) -> str:
    called, letters = names(repositories(context)), short(list(claims.by_id))
    rows: list[list[render.Cell]] = [["ID", "REPO", "KIND", "WHAT", "EVENTS"]]
    for claim in found:
        m = claim.memory
        what: render.Cell = m.text if claim.is_open else render.Styled(f"{m.text} ({claim.why})", "dim")
        events = ", ".join(map(str, m.cites[-3:]))
        rows.append([render.Styled(letters[m.id], "bold"), called.get(m.repo, m.repo), m.kind, what, events])
    return render.table(rows)


def _related_row(found: Related) -> list[render.Cell]:
    return [f"{found.confidence:.0%}", str(found.support), found.path, ", ".join(map(str, found.cites[-3:]))]


def _verb(topic: str) -> str:
    return {"MemoryAccepted": "learned", "MemorySuperseded": "gave way", "MemoryInvalidated": "dropped"}.get(
        topic, topic
    )


def _said(change: DreamChangeOut) -> str:
    data = change.data
    if "memory" in data:
        return f"{data['memory']['kind']}: {data['memory']['text']}"
    if "file" in data:
        kept = f", kept as {data['kept']}" if data.get("kept") else ""
        return f"{data['file']} was {data['what']} by hand{kept}"
    return f"{data.get('id', '')}: {data.get('why', '')} {data.get('detail', '')}".rstrip()


def _repository(context: Context, paths: tuple[str, ...]) -> Repository:
    """The repository asked about: --repo, else the one that holds the first path or this directory, else the only
    one there is. NotFound."""
    chosen = selected(context)
    if chosen is not None:
        return chosen
    known = repositories(context)
    for start in (typed(paths[0]).absolute(), Path.cwd()):
        for folder in (start, *start.parents):
            found = known.at(str(folder), machine())
            if found is not None:
                return found
    if len(known.by_id) == 1:
        return next(iter(known.by_id.values()))
    raise NotFound(f"{paths[0]} is in no repository that Kairos knows", "Name the repository with --repo.")


def _inside(repository: Repository, path: str) -> str:
    """A path as typed, relative to the root: from here when that is inside the repository, else as it stands."""
    root = Path(repository.root)
    here = Path.cwd() if Path.cwd().is_relative_to(root) else root
    for base in (here, root):
        found = base / typed(path)
        if found.exists() and found.resolve().is_relative_to(root):
            return found.parent.resolve().joinpath(found.name).relative_to(root).as_posix()
    found = root / typed(path)
    return found.relative_to(root).as_posix() if found.is_relative_to(root) else path
