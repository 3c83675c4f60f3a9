"""`kairos log`: the events as they are, and proof that nobody changed them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import click
import msgspec

from cli import render
from cli.context import Context, pass_context
from cli.given import whole
from cli.outputs import AnchorOut, EventOut, MovedOut, ProblemOut, VerifyOut
from cli.reading import position_before, selected
from cli.summary import summary
from cli.when import ago
from kairos.clock import now_us, rfc3339
from kairos.domain.events import REGISTRY, Event
from kairos.errors import IntegrityError, UsageError
from kairos.eventlog.record import Recorded


@cache
def _defaults(cls: type[Event]) -> dict[str, object]:
    return {
        f.encode_name: msgspec.to_builtins(f.default_factory() if f.default is msgspec.NODEFAULT else f.default)
        for f in msgspec.structs.fields(cls)
        if not f.required
    }


def event_out(recorded: Recorded) -> EventOut:
    """One line of the log for a script; fields left out of storage because they have their default are filled in."""
    return EventOut(
        position=recorded.position,
        type=recorded.topic,
        v=recorded.v,
        at=rfc3339(recorded.at),
        stream=recorded.stream,
        version=recorded.version,
        caused_by=recorded.caused_by,
        correlation=recorded.correlation,
        origin=recorded.origin,
        data=_defaults(type(recorded.event)) | msgspec.to_builtins(recorded.event),
    )


def event_text(recorded: Recorded) -> str:
    """One line of the log for a person."""
    position = render.number(recorded.position).rjust(9)
    return f"{position}  {rfc3339(recorded.at)[:19]}  {recorded.topic:<20}  {render.inert(summary(recorded))}"


def _rendered(context: Context, events: Iterator[Recorded]) -> Iterator[str]:
    for recorded in events:
        yield render.json_text(event_out(recorded)) if context.json else event_text(recorded)


@click.group(invoke_without_command=True)
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="N", help="Only positions above N.")
@click.option("--type", "types", multiple=True, metavar="T", help="Only events of this exact type; repeatable.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Only the first N.")
@click.option("--since", metavar="T", help="Only events since a time, or of the last 30m, 2h, 1d.")
@click.option("--follow", is_flag=True, help="Go on as events come.")
@pass_context
@click.pass_context
def log(
    ctx: click.Context, context: Context, after: int, types: Sequence[str], limit: int | None, since: str | None,
    follow: bool,
) -> None:  # fmt: skip
    """The event log, oldest first; one JSON object a line with --json."""
    if ctx.invoked_subcommand is not None:
        return
    unknown = sorted(set(types) - set(REGISTRY))
    if unknown:
        raise UsageError(f"there is no event type `{unknown[0]}`", f"Types are {', '.join(sorted(REGISTRY))}.")
    if not context.has_log and not follow:
        return
    if since is not None:
        after = max(after, position_before(context, ago(since, now_us())))
    only = selected(context)
    source = _follow(context, after, types) if follow else context.log.read(after, topics=types)
    if only is not None:
        source = (r for r in source if r.stream == only.id or getattr(r.event, "repo", None) == only.id)
    if limit is not None:
        source = _first(source, limit)
    if follow:
        for recorded in source:
            render.line(context, event_out(recorded) if context.json else None, event_text(recorded))
    else:
        render.records(_rendered(context, source), context)


def _first(source: Iterator[Recorded], limit: int) -> Iterator[Recorded]:
    """The first `limit`, without waiting for one more."""
    for count, recorded in enumerate(source, 1):
        if count > limit:
            return
        yield recorded
        if count == limit:
            return


def _follow(context: Context, after: int, types: Sequence[str]) -> Iterator[Recorded]:
    from kairos.eventlog.follow import Follower

    return (r for r in Follower(context.log, after) if not types or r.topic in types)


def _parse_anchor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    position, colon, link = text.partition(":")
    noted = whole(position)
    if not colon or noted is None or len(link) != 64 or set(link.lower()) - set("0123456789abcdef"):
        raise UsageError(f"`{text}` is no anchor", "Give POSITION:HASH as `kairos log anchor` printed it.")
    return noted, link.lower()


@log.command(short_help="Prove that nothing was changed; exit 9 when something was.")
@click.option("--anchor", metavar="POSITION:HASH", help="A head that was noted elsewhere; it must still be there.")
@pass_context
def verify(context: Context, anchor: str | None) -> None:
    """Walk the whole hash chain, hot and cold; exit 9 when anything was changed, dropped or reordered."""
    noted = _parse_anchor(anchor)
    if not context.has_log:
        if noted is not None:
            raise IntegrityError(f"there is no log in {context.home.data}, and the anchor names one", "Restore it.")
        render.emit(context, "log-verify", VerifyOut(ok=True, head=0, hash="0" * 64, problems=[]), "the log is empty")
        return
    from kairos.eventlog.verify import verify_log

    try:
        with context.log.errors():
            found = msgspec.convert(msgspec.to_builtins(verify_log(context.log, noted)), VerifyOut)
    except IntegrityError as error:  # not even the database can be read
        found = VerifyOut(ok=False, head=0, hash="0" * 64, problems=[ProblemOut(what=error.message)])
    text = "\n".join(f"  {_place(p)}: {render.inert(p.what)}" for p in found.problems)
    good = f"{render.paint('✓', 'green')} {render.number(found.head)} events, head {found.hash}"
    render.emit(context, "log-verify", found, good if found.ok else text)
    if not found.ok:
        raise IntegrityError(
            f"the log has {render.count(len(found.problems), 'damaged place')}",
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
    position, link = context.log.anchor() if context.has_log else (0, "0" * 64)
    render.emit(context, "log-anchor", AnchorOut(position=position, hash=link), f"{position}:{link}")


@log.command(short_help="Write every record as a line of JSON, positions and hashes kept.")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), default="-")
@pass_context
def export(context: Context, file: str) -> None:
    """Write the whole log, hot and cold, as lines of JSON to FILE (default: standard output)."""
    from kairos.eventlog.carrying import export_all

    with click.open_file(file, "wb", atomic=file != "-") as out:
        events = export_all(context.log, out) if context.has_log else 0
    if file != "-":
        said = f"{render.number(events)} events written to {render.inert(file)}"
        render.emit(context, "log-export", MovedOut(events=events, hash=context.log.anchor()[1]), said)


@log.command("import", short_help="Read what `log export` wrote into an empty log.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@pass_context
def import_(context: Context, file: str) -> None:
    """Read an exported log into an empty one: all of it, verified, or nothing."""
    from kairos.eventlog.carrying import import_all

    with click.open_file(file, "rb") as lines:
        events = import_all(context.log, lines)
    said = f"{render.paint('✓', 'green')} {render.number(events)} events, verified"
    render.emit(context, "log-import", MovedOut(events=events, hash=context.log.anchor()[1]), said)
