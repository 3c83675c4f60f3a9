"""`kairos compact`: old events sealed, and old observations folded under a person's rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from cli import render
from cli.context import Context, pass_context
from cli.outputs import Output
from kairos.clock import DAY, now_us, rfc3339
from kairos.errors import UsageError
from kairos.settings import Retention

if TYPE_CHECKING:
    from kairos.eventlog.cold.folding import Folded


class SealedOut(Output, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    first: int
    last: int
    file: str
    bytes: int


class FoldedOut(Output, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    """What one segment lost: observations and the changes in them, and how many observations stay."""

    first: int
    last: int
    events: int
    changes: int
    kept: int
    bytes_before: int
    bytes_after: int


class CompactOut(Output, frozen=True, kw_only=True):
    """`fold_before`: what is older was folded, null without a rule; `days`: how many events tell what is left of it,
    and their bytes. With `dry_run` nothing was done: `folded` is what would be, of the segments that there are."""

    sealed: list[SealedOut]
    retired: int
    hot_bytes: int
    cold_bytes: int
    folded: list[FoldedOut] = []
    fold_before: str | None = None
    days: int = 0
    days_bytes: int = 0
    dry_run: bool = False


@click.command()
@click.option("--now", "at_once", is_flag=True, help="Also seal what is younger than schedule.keep_hot_days.")
@click.option("--dry-run", is_flag=True, help="Do nothing; say what retention.fold_after_days would fold.")
@click.option(
    "--fold-after", type=click.FloatRange(0, 36_500), metavar="DAYS", help="With --dry-run: try another rule."
)
@pass_context
def compact(context: Context, at_once: bool, dry_run: bool, fold_after: float | None) -> None:
    """Seal old events into verified, compressed segments and retire their hot rows.

    Then fold old observations, if retention.fold_after_days says so: a summary of each day stays."""
    if fold_after is not None and not dry_run:
        raise UsageError(
            "--fold-after only tries a rule, with --dry-run",
            f"To set it: `kairos config set retention.fold_after_days {fold_after:g}`.",
        )
    if not context.has_log:
        nothing = CompactOut(sealed=[], retired=0, hot_bytes=0, cold_bytes=0, dry_run=dry_run)
        render.emit(context, "compact", nothing, "the log is empty")
        return
    retention = context.config.retention if fold_after is None else Retention(fold_after_days=fold_after)
    sealing = _unsealed(context) if dry_run else _sealed(context, at_once)
    rule = retention.fold_before(now_us())
    found = sealing if rule is None else _folded(context, sealing, rule, dry=dry_run)
    render.emit(context, "compact", found, compact_text(found))


def _sealed(context: Context, at_once: bool) -> CompactOut:
    from kairos.daemon.all_views import kept_views
    from kairos.daemon.compacting import ended
    from kairos.eventlog.cold.compaction import compact as seal

    before = None if at_once else now_us() - round(context.config.schedule.keep_hot_days * DAY)
    done = seal(context.log, before=before, ended=ended(context.config, context.log), views=kept_views())
    return msgspec.convert(msgspec.to_builtins(done), CompactOut)


def _unsealed(context: Context) -> CompactOut:
    return CompactOut(
        sealed=[], retired=0, hot_bytes=context.log.hot_bytes(), cold_bytes=_cold_bytes(context), dry_run=True
    )


def _folded(context: Context, sealing: CompactOut, before: int, *, dry: bool) -> CompactOut:
    from kairos.eventlog.cold.folding import fold

    done: Folded = fold(context.log, before, dry=dry)
    return msgspec.structs.replace(
        sealing,
        folded=msgspec.convert(msgspec.to_builtins(done.segments), list[FoldedOut]),
        fold_before=rfc3339(before), days=done.days, days_bytes=done.days_bytes,
        hot_bytes=context.log.hot_bytes(), cold_bytes=_cold_bytes(context),
    )  # fmt: skip


def _cold_bytes(context: Context) -> int:
    return sum(segment.size for segment in context.log.reader().segments())


def compact_text(found: CompactOut) -> str:
    """The same for a person."""
    rows: list[list[render.Cell]] = [
        [f"{render.number(s.first)} to {render.number(s.last)}", s.file, render.size(s.bytes)] for s in found.sealed
    ]
    sizes: list[render.Cell] = ["hot " + render.size(found.hot_bytes), "cold " + render.size(found.cold_bytes)]
    rows.append(["nothing is done" if found.dry_run else f"{render.number(found.retired)} rows retired", *sizes])
    return "\n".join(filter(None, [render.table(rows), _folded_text(found)]))


def _folded_text(found: CompactOut) -> str:
    if found.fold_before is None:
        return "  Every observation is kept: retention.fold_after_days is 0." if found.dry_run else ""
    if not found.folded:
        return f"  No observation from before {found.fold_before[:16]} is there to fold."
    rows: list[list[render.Cell]] = [
        [
            f"{render.number(s.first)} to {render.number(s.last)}",
            f"{render.count(s.events, 'observation')} of {render.number(s.events + s.kept)}",
            render.count(s.changes, "change"),
            f"{render.size(s.bytes_before)} → {render.size(s.bytes_after)}",
        ]
        for s in found.folded
    ]
    verb = "Would fold" if found.dry_run else "Folded"
    return "\n".join(
        [
            f"  {verb} what is from before {found.fold_before[:16]}:",
            render.table(rows, indent="    "),
            f"  What is left of it: {render.count(found.days, 'event')}, {render.size(found.days_bytes)}.",
        ]
    )
