"""`kairos forget`: payloads excised from the log for good, provably and nothing else."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import render
from cli.context import Context, pass_context
from cli.holding import other_daemons
from cli.outputs import ForgottenOut
from cli.reading import repositories
from kairos.domain.inert import as_text
from kairos.errors import Denied, NotFound, TryAgain, UsageError
from kairos.settings import machine

if TYPE_CHECKING:
    from kairos.eventlog.forgetting import Forgotten


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
    """Excise payloads for good, and their traces in memory and undo. Positions and hashes stay: `log verify` passes."""
    if sum((pattern is not None, bool(positions), root is not None)) != 1:
        raise UsageError("say what to forget, one way", "Give --path GLOB, --position N or --repo PATH.")
    if not context.has_log:
        raise NotFound("the log is empty", "There is nothing to forget.")
    if not yes and not render.ask(context, "Excise it from the log and the home for good?", flag="--yes"):
        return
    from kairos.daemon.presence import claim
    from kairos.daemon.traces import remaining
    from kairos.eventlog.mentions import betraying, needles

    others = other_daemons(context)
    if others:  # like our own, they would keep what they have in memory
        raise TryAgain(f"{' and '.join(others)} runs a daemon on this log", "Stop it first, then run this again.")
    had_index = (context.home.memory / "MEMORY.md").exists()
    with claim(context.home):  # a daemon would keep what it has in memory
        found = _forgotten(context, pattern, positions, root, reason)
        names = needles(found.names)
    told = betraying(names) if names else None
    if had_index and not (context.home.memory / "MEMORY.md").exists():
        _publish_memory(context)
    out = ForgottenOut(
        positions=found.positions, position=found.position, segments=found.segments,
        left=[str(path) for path in remaining(context.home, told)] if told else [],
        seen=_still_there(context, found.names) if pattern is not None else [],
    )  # fmt: skip
    text = f"{render.count(len(out.positions), 'event')} excised"
    lines = [f"{text} (ev {render.number(out.position)})" if out.position else text]
    lines += [f"  yours, and still names it: {render.inert(path)}" for path in out.left]
    lines += [f"  still on disk, so it will be seen again unless it is ignored: {render.inert(p)}" for p in out.seen]
    render.emit(context, "forget", out, "\n".join(lines))


def _forgotten(
    context: Context, pattern: str | None, positions: Sequence[int], root: str | None, reason: str
) -> Forgotten:
    from kairos.daemon.traces import cleaned_with
    from kairos.eventlog import forgetting
    from kairos.eventlog.upkeep import finish_if_possible

    log = cleaned_with(context.log, context.home)
    if not finish_if_possible(log):
        raise TryAgain("an earlier forgetting could not be finished", "Stop what uses the log, and try again.")
    if pattern is not None:
        return forgetting.forget_paths(log, pattern, reason, "user")
    if root is not None:
        repo, place = _gone(context, root)
        return forgetting.forget_repository(log, repo, place, reason, "user")
    return forgetting.forget_positions(log, positions, reason, "user")


def _publish_memory(context: Context) -> None:
    """The memory files went because they told of it; a dream writes them anew from the log as it is now."""
    from cli.memory import dream_child

    dream_child(context, [])


def _still_there(context: Context, names: Sequence[str]) -> list[str]:
    """Which of these paths still are in a watched tree."""
    roots = [Path(r.root) for r in repositories(context).watched()]
    found = (root / name for root in roots for name in names)
    return [as_text(str(path)) for path in found if os.path.lexists(path)]


def _gone(context: Context, path: str) -> tuple[str, str]:
    """(id, root) of a repository that is not watched any more: a watched one would tell it all again."""
    root = str(Path(path).expanduser().resolve())
    found = repositories(context).at(root, machine())
    if found is None:
        raise NotFound(f"{path} is not the root of a repository that Kairos knows", "`kairos status` lists them.")
    if found.watched:
        raise Denied(f"{path} is still watched and would be told again", f"First `kairos unwatch {path}`.")
    return found.id, root
