"""`kairos log`: reading the event log, and verifying that it was not changed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import click

from cli import render
from cli.context import Context, pass_context
from kairos.clock import rfc3339
from kairos.desk import events
from kairos.desk.events import LogEntry
from kairos.desk.records.log import ProblemOut
from kairos.desk.units import count, number
from kairos.errors import IntegrityError, UsageError

_WIDE = 80
"""From this width on, an event is one line and what is longer goes on below it."""


def entry_text(entry: LogEntry) -> str:
    """One event of the log, as a line for a person."""
    position, at = number(entry.position).rjust(9), rfc3339(entry.at)[:19]
    if (render.columns() or _WIDE) < _WIDE:
        head = render.folded(f"{position}  {at.replace('T', ' ')}  {render.inert(entry.type)}")
        return f"{head}\n{render.folded(f'    {render.inert(entry.summary())}', hang='    ')}"
    line = f"{position}  {at}  {render.inert(entry.type):<20}  {render.inert(entry.summary())}"
    return render.folded(line, hang=" " * 11)


@click.group(invoke_without_command=True)
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="N", help="Only positions above N.")
@click.option("--type", "types", multiple=True, metavar="T", help="Only events of this exact type; repeatable.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Only the first N.")
@click.option("-n", "last", type=click.IntRange(min=1), metavar="N", help="Only the last N.")
@click.option("--since", metavar="T", help="Only events since a time, or of the last 30m, 2h, 1d.")
@click.option("--follow", is_flag=True, help="Keep printing events as they are recorded.")
@pass_context
@click.pass_context
def log(
    ctx: click.Context, context: Context, after: int, types: Sequence[str], limit: int | None, last: int | None,
    since: str | None, follow: bool,
) -> None:  # fmt: skip
    """The event log, oldest first; one JSON object a line with --json."""
    if ctx.invoked_subcommand is not None:
        return
    if last is not None and (follow or limit is not None):
        raise UsageError("-n gives the last events, --limit the first and --follow those to come", "Give one of them.")
    source = events.read(
        context.desk, after=after, types=types, since=since, limit=limit, last=last, only=context.only(), follow=follow
    )
    if follow:
        for entry in source:
            render.line(context, entry.out() if context.json else None, entry_text(entry))
    else:
        first = next(source, None)
        if first is None and not context.json:
            empty = (
                "No event matches." if context.desk.has_log else "Nothing was recorded yet.   Next: kairos watch PATH"
            )
            render.message(context, f"  {empty}")
        entries = chain([first] if first is not None else [], source)
        render.records(
            (render.json_text(e.out()) if context.json else entry_text(e) for e in entries), context, page=True
        )


@log.command(short_help="Prove that nothing was changed; exit 9 when something was.")
@click.option(
    "--anchor", metavar="POSITION:HASH", help="A head that was noted elsewhere; the log must still contain it."
)
@pass_context
def verify(context: Context, anchor: str | None) -> None:
    """Walk the whole hash chain, hot and cold; exit 9 when anything was changed, dropped or reordered."""
    found = events.verify(context.desk, anchor)
    text = "\n".join(f"  {_place(p)}: {render.inert(p.what)}" for p in found.problems)
    good = f"{render.paint('✓', 'green')} {count(found.head, 'event')}, head {found.hash}"
    render.emit(context, "log-verify", found, text if not found.ok else good if found.head else "the log is empty")
    if not found.ok:
        raise IntegrityError(
            f"the log has {count(len(found.problems), 'damaged place')}",
            "What can still be read stays readable; restore a backup to repair it.",
        )


def _place(problem: ProblemOut) -> str:
    if problem.segment:
        return f"segment {render.inert(problem.segment)}"
    return "the database" if problem.position is None else f"position {problem.position}"


@log.command(short_help="Print the head as POSITION:HASH, to keep elsewhere.")
@pass_context
def anchor(context: Context) -> None:
    """Print the head as POSITION:HASH, to keep elsewhere: in a git note, a file, a mail."""
    found = events.anchor(context.desk)
    render.emit(context, "log-anchor", found, f"{found.position}:{found.hash}")


@log.command(short_help="Write every record as a line of JSON, positions and hashes kept.")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), default="-")
@pass_context
def export(context: Context, file: str) -> None:
    """Write the whole log, hot and cold, as lines of JSON to FILE (default: standard output)."""
    try:
        with click.open_file(file, "wb", atomic=file != "-") as out:
            moved = events.export(context.desk, out)
    except FileNotFoundError as error:
        raise UsageError(f"{file}: {error.strerror}", "Name a file in a directory that exists.") from error
    if file != "-":
        said = f"{count(moved.events, 'event')} written to {render.inert(file)}"
        render.emit(context, "log-export", moved, said)


@log.command("import", short_help="Read what `log export` wrote into an empty log.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@pass_context
def import_(context: Context, file: str) -> None:
    """Read an exported log into an empty one: all of it, verified, or nothing."""
    with click.open_file(file, "rb") as lines:
        moved = events.import_(context.desk, lines)
    said = f"{render.paint('✓', 'green')} {count(moved.events, 'event')}, verified"
    render.emit(context, "log-import", moved, said)
