"""`kairos dream` and `kairos memory`: running a dream now, and reading memories with their evidence."""

from __future__ import annotations

from collections import Counter

import click

from cli import render
from cli.context import Context, pass_context
from cli.given import at_most
from kairos.desk import briefing, remembering
from kairos.desk.reading import names, repositories
from kairos.desk.records.memory import BriefOut, DreamChangeOut, MemoryOut
from kairos.desk.units import count, number

SHOWN = 20
"""How many memories or changes are shown, unless more are asked for."""


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would change and write nothing.")
@pass_context
def dream(context: Context, dry_run: bool) -> None:
    """Consolidate what the log taught, now: what came of it, as memory events."""
    changes = remembering.dream_changes(context.desk, dry_run=dry_run, only=context.only())
    render.emit(context, "dream", changes, dream_text(changes, dry_run=dry_run), page=True)


def dream_text(changes: list[DreamChangeOut], *, dry_run: bool) -> str:
    """What came of a dream, the most important first."""
    if not changes:
        return "  Nothing new was learned."
    words = [remembering.in_words(c) for c in remembering.by_importance(changes)]
    verbs = Counter(verb for verb, _ in words)
    lines = ["  " + ", ".join(f"{number(n)} {verb}" for verb, n in verbs.items())]
    lines.append(render.table([[*pair] for pair in words[:SHOWN]], indent="    "))
    if len(words) > SHOWN:
        lines.append(
            f"    {count(len(words) - SHOWN, 'more', 'more')}: kairos memory ls" + (" after a dream" if dry_run else "")
        )
    return "\n".join([*lines, *(["  Nothing was written."] if dry_run else [])])


@click.group()
def memory() -> None:
    """What was learned, with its evidence."""


@memory.command("ls")
@click.option("--all", "everything", is_flag=True, help="Include memories that no longer hold.")
@click.option("--kind", help="Only this kind, such as co-change or rename.")
@at_most("first", SHOWN)
@pass_context
def ls(context: Context, everything: bool, kind: str | None, limit: int | None) -> None:
    """Memories that hold, the most worth first."""
    most = limit if limit is not None or context.json else SHOWN

    def read() -> tuple[list[MemoryOut], str]:
        found = remembering.listed(context.desk, context.only(), kind=kind, closed=everything)
        shown, text = _listed(context, found[:most])
        more = len(found) - len(shown)
        return shown, text + (f"\n  {count(more, 'more', 'more')}: kairos memory ls -n {len(found)}" if more else "")

    found, text = context.desk.at_one_moment(read)
    nothing = render.folded("  Nothing is remembered yet.   Next: kairos dream")
    render.emit(context, "memory-ls", found, text or nothing, page=True)


@memory.command("recall")
@click.argument("query", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 1_000), default=10, metavar="N", show_default=True)
@pass_context
def recall(context: Context, query: tuple[str, ...], limit: int) -> None:
    """The memories that answer QUERY best."""
    found, text = context.desk.at_one_moment(
        lambda: _listed(context, remembering.recall(context.desk, " ".join(query), limit, context.only()))
    )
    render.emit(context, "memory-recall", found, text or "  Nothing is remembered about that.")


@memory.command("related")
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@click.option("--limit", type=click.IntRange(1, 1_000), default=10, metavar="N", show_default=True)
@click.option("--as-of", metavar="COMMIT|TIME", help="Answer from history as it was then.")
@pass_context
def related(context: Context, paths: tuple[str, ...], limit: int, as_of: str | None) -> None:
    """Files that history says change together with PATH."""
    found = remembering.related(context.desk, context.only(), paths, limit, as_of)
    rows: list[list[render.Cell]] = [["SURE", "COMMITS", "FILE", "EVENTS"]]
    rows += [[f"{r.confidence:.0%}", str(r.support), r.path, ", ".join(map(str, r.cites[-3:]))] for r in found]
    text = render.table(rows, right=(0, 1)) if found else "  No commit shows another file changing with it."
    render.emit(context, "memory-related", found, text)


@memory.command("brief")
@click.argument("paths", nargs=-1, metavar="[PATH…]")
@click.option("--limit", type=click.IntRange(1, 1_000), default=10, metavar="N", show_default=True)
@pass_context
def brief(context: Context, paths: tuple[str, ...], limit: int) -> None:
    """What to know before you commit a change of PATH, or of what differs from HEAD: files that usually change with it
    and do not yet, and what is remembered about it."""
    told = briefing.brief(context.desk, context.only(), paths, limit)
    render.emit(context, "memory-brief", told, brief_text(told))


def brief_text(told: BriefOut) -> str:
    """A briefing, as text for a person."""
    if not told.paths:
        return "  Nothing differs from HEAD.   Name a file: kairos memory brief PATH"
    shown = ", ".join(map(render.inert, told.paths[:3]))
    more = len(told.paths) - 3
    lines = [f"  about {shown}" + (f" and {count(more, 'more file')}" if more > 0 else "")]
    if told.companions:
        rows: list[list[render.Cell]] = [["SURE", "COMMITS", "CHANGES, TOO", "WITH", "EVENTS"]]
        rows += [
            [f"{c.confidence:.0%}", str(c.support), c.path, c.changes_with, ", ".join(map(str, c.cites[-3:]))]
            for c in told.companions
        ]
        lines.append(render.table(rows, right=(0, 1)))
    else:
        lines.append("  No commit shows another file that often changes with it.")
    lines += [f"  {render.inert(m.kind)}: {render.inert(m.text)} (ev {', '.join(map(str, m.cites[-3:]))})"
              for m in told.memories]  # fmt: skip
    return "\n".join(lines)


@memory.command("show")
@click.argument("id_", metavar="ID")
@pass_context
def show(context: Context, id_: str) -> None:
    """One memory: what it says, since when, and the events it rests on."""
    m = remembering.memory(context.desk, id_, context.only())
    rows: list[list[render.Cell]] = [
        ["id", m.id],
        ["says", m.text],
        ["kind", m.kind],
        ["sure", f"{m.confidence:.0%}, from {m.support:g} observations, trust: {m.trust}"],
        ["true", f"since {m.valid_from}" + (f" until {m.valid_to}" if m.valid_to else "")],
        ["cites", ", ".join(map(str, m.cites))],
        ["state", "holds" if m.state == "open" else f"closed at event {m.retired}: {m.why} {m.by}".rstrip()],
    ]
    render.emit(context, "memory-show", m, render.table(rows))


def _listed(context: Context, found: list[MemoryOut]) -> tuple[list[MemoryOut], str]:
    """Memories as data and as text; the text is empty if there are none."""
    if not found:
        return [], ""
    called, letters = names(repositories(context.desk)), remembering.letters(context.desk)
    rows: list[list[render.Cell]] = [["ID", "REPO", "KIND", "WHAT", "EVENTS"]]
    for m in found:
        what: render.Cell = m.text if m.state == "open" else render.Styled(f"{m.text} ({m.why})", "dim")
        events = ", ".join(map(str, m.cites[-3:]))
        rows.append([render.Styled(letters[m.id], "bold"), called.get(m.repo, m.repo), m.kind, what, events])
    return found, render.table(rows)
