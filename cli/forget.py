"""`kairos forget`: payloads excised from the log for good, provably and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from cli import render
from cli.context import Context, pass_context
from cli.outputs import ForgottenOut
from cli.reading import repositories
from kairos.errors import Denied, NotFound, UsageError


@click.command()
@click.option("--path", "pattern", metavar="GLOB", help="Every event that names a path like this one.")
@click.option("--position", "positions", type=click.IntRange(min=1), multiple=True, metavar="N", help="One event.")
@click.option("--repo", "root", metavar="PATH", help="Every event of a repository that is not watched any more.")
@click.option("-m", "reason", required=True, metavar="REASON", help="Why; the log keeps this.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def forget(
    context: Context, pattern: str | None, positions: Sequence[int], root: str | None, reason: str, yes: bool
) -> None:
    """Excise payloads for good. Their positions and hashes stay, so `log verify` still passes."""
    from kairos.eventlog import forgetting

    if sum((pattern is not None, bool(positions), root is not None)) != 1:
        raise UsageError("say what to forget, one way", "Give --path GLOB, --position N or --repo PATH.")
    if not context.has_log:
        raise NotFound("the log is empty", "There is nothing to forget.")
    if not yes and not render.ask(context, "Excise it from the log for good?", flag="--yes"):
        return
    if pattern is not None:
        found = forgetting.forget_paths(context.log, pattern, reason, "user")
    elif root is not None:
        repo, place = _gone(context, root)
        found = forgetting.forget_repository(context.log, repo, place, reason, "user")
    else:
        found = forgetting.forget_positions(context.log, positions, reason, "user")
    out = msgspec.convert(msgspec.to_builtins(found), ForgottenOut)
    text = f"{render.count(len(out.positions), 'event')} excised"
    render.emit(context, "forget", out, f"{text} (ev {render.number(out.position)})" if out.position else text)


def _gone(context: Context, path: str) -> tuple[str, str]:
    """(id, root) of a repository that is not watched any more: a watched one would tell it all again."""
    root = str(Path(path).expanduser().resolve())
    found = repositories(context).at(root)
    if found is None:
        raise NotFound(f"{path} is not the root of a repository that Kairos knows", "`kairos status` lists them.")
    if found.watched:
        raise Denied(f"{path} is still watched and would be told again", f"First `kairos unwatch {path}`.")
    return found.id, root
