"""`kairos forget`: permanent, verifiable removal of payloads from the log."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import forgetting
from kairos.desk.units import count, number


@click.command()
@click.option("--path", "pattern", metavar="GLOB", help="Every event that names a path like this one.")
@click.option("--position", "positions", type=click.IntRange(min=1), multiple=True, metavar="N", help="One event.")
@click.option("--repo", "root", metavar="PATH", help="Every event of a repository that is no longer watched.")
@click.option("-m", "reason", required=True, metavar="REASON", help="The reason; the log keeps it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def forget(
    context: Context, pattern: str | None, positions: Sequence[int], root: str | None, reason: str, yes: bool
) -> None:
    """Remove payloads permanently, and their traces in memory and undo.

    Positions and hashes stay, so `log verify` still passes."""
    forgetting.refuse_nonsense(context.desk, pattern, positions, root)
    if not yes and not render.ask(context, "Remove it permanently from the log and the home?", flag="--yes"):
        return
    out = forgetting.forget(context.desk, pattern, positions, root, reason)
    text = f"{count(len(out.positions), 'event')} excised"
    lines = [f"{text} (ev {number(out.position)})" if out.position else text]
    lines += [f"  your own file still names it: {render.inert(path)}" for path in out.left]
    lines += [
        f"  still on disk, so it will be recorded again unless it is ignored: {render.inert(p)}" for p in out.seen
    ]
    render.emit(context, "forget", out, "\n".join(lines))
