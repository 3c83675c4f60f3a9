"""`kairos compact`: seals old events, and folds old observations according to the configured retention."""

from __future__ import annotations

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import compacting
from kairos.desk.records.log import CompactOut
from kairos.desk.units import count, number, size


@click.command()
@click.option("--now", "at_once", is_flag=True, help="Also seal events younger than schedule.keep_hot_days.")
@click.option("--dry-run", is_flag=True, help="Change nothing; show what retention.fold_after_days would fold.")
@click.option(
    "--fold-after", type=click.FloatRange(0, 36_500), metavar="DAYS", help="With --dry-run: try another number of days."
)
@pass_context
def compact(context: Context, at_once: bool, dry_run: bool, fold_after: float | None) -> None:
    """Seal old events into verified, compressed segments and retire their hot rows.

    Then fold observations older than retention.fold_after_days, if it is set; a summary of each day stays."""
    found = compacting.compact(context.desk, at_once=at_once, dry_run=dry_run, fold_after=fold_after)
    render.emit(context, "compact", found, compact_text(found))


def compact_text(found: CompactOut) -> str:
    """The result, as text for a person."""
    rows: list[list[render.Cell]] = [
        [f"{number(s.first)} to {number(s.last)}", s.file, size(s.bytes)] for s in found.sealed
    ]
    sizes: list[render.Cell] = ["hot " + size(found.hot_bytes), "cold " + size(found.cold_bytes)]
    rows.append(["nothing was changed" if found.dry_run else f"{count(found.retired, 'row')} retired", *sizes])
    return "\n".join(filter(None, [render.table(rows), _folded_text(found)]))


def _folded_text(found: CompactOut) -> str:
    if found.fold_before is None:
        return "  Every observation is kept: retention.fold_after_days is 0." if found.dry_run else ""
    if not found.folded:
        return f"  No observation from before {found.fold_before[:16]} is there to fold."
    rows: list[list[render.Cell]] = [
        [
            f"{number(s.first)} to {number(s.last)}",
            f"{count(s.events, 'observation')} of {number(s.events + s.kept)}",
            count(s.changes, "change"),
            f"{size(s.bytes_before)} → {size(s.bytes_after)}",
        ]
        for s in found.folded
    ]
    verb = "Would fold" if found.dry_run else "Folded"
    return "\n".join(
        [
            f"  {verb} observations from before {found.fold_before[:16]}:",
            render.table(rows, indent="    "),
            f"  What stays: {count(found.days, 'event')}, {size(found.days_bytes)}.",
        ]
    )
