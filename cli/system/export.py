"""`kairos export`: everything known of a repository or of all, to keep."""

from __future__ import annotations

import sys

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import exporting
from kairos.desk.units import count
from kairos.errors import UsageError


@click.command()
@click.argument("file", type=click.Path(allow_dash=True), default="-")
@pass_context
def export(context: Context, file: str) -> None:
    """Write what Kairos knows as lines of JSON to FILE (default: standard output): repositories, proposals with their
    decisions, memories, events. With --repo of one repository. A FILE that exists is refused."""
    only = context.only()
    if file == "-" and context.interactive() and sys.stdout.isatty():
        raise UsageError(
            "it is long, and nobody reads it on a terminal",
            "Name a FILE: `kairos export kairos.ndjson`; or use a pipe.",
        )
    if file == "-":
        exporting.export(context.desk, sys.stdout.buffer, only)
        return
    done = exporting.export_to(context.desk, file, only)
    said = ", ".join(
        [
            count(done.proposals, "proposal"), count(done.memories, "memory", "memories"), count(done.events, "event"),
        ]
    )  # fmt: skip
    render.emit(context, "export", done, f"{render.paint('✓', 'green')} {render.inert(str(done.path))}: {said}")
