"""`kairos watch-log`: the logs of a person's programs, and what is new in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import log_watches
from kairos.desk.records.log_watches import WatchedLogOut

_STYLES = {"reading": "green", "cannot be read": "yellow"}


@click.group("watch-log")
def watch_log() -> None:
    """Logs of your own programs: a line that was never there is told, with the commit that wrote it."""


@watch_log.command("add", short_help="Watch a log: a file, a unit or a command.")
@click.option("--file", metavar="FILE", default=None, help="A log file; it need not exist yet.")
@click.option("--unit", metavar="UNIT", default=None, help="A unit of systemd, read through journalctl.")
@click.option("--user", is_flag=True, help="UNIT is one of your own (systemctl --user).")
@click.option("--command", metavar="'CMD …'", default=None, help="What it prints; it runs confined, without a shell.")
@click.option("--read", "read_roots", metavar="DIR", multiple=True, help="A directory CMD may read; repeatable.")
@click.option("--name", metavar="NAME", default=None, help="Default: by the file, the unit or the command.")
@click.option("--every", is_flag=True, help="Tell new lines of level INFO and below, too.")
@pass_context
def add(
    context: Context, file: str | None, unit: str | None, user: bool, command: str | None, read_roots: Sequence[str],
    name: str | None, every: bool,
) -> None:  # fmt: skip
    """Watch a log for this repository. What is in it now is its past; only what is new against that is told, once."""
    done = log_watches.add(
        context.desk, context.only(), file=file, unit=unit, user=user, command=command, read_roots=read_roots,
        name=name, every=every,
    )  # fmt: skip
    text = f"{render.paint('✓', 'green')} `{done.name}` is watched: {render.inert(done.source)}"
    text += "" if context.desk.daemon_running() else "\n  No daemon runs: `kairos start` starts it."
    render.emit(context, "watch-log-add", done, text)


@watch_log.command("ls")
@pass_context
def ls(context: Context) -> None:
    """The watched logs, and what was learnt of them; with --repo of one repository."""
    found = log_watches.listed(context.desk, context.only())
    text = (
        _standing(found)
        if found
        else "  No log is watched. `kairos watch-log add --file FILE` watches one, --unit or --command, too."
    )
    render.emit(context, "watch-log-ls", found, text)


@watch_log.command("rm", short_help="End the watch of a log.")
@click.argument("name")
@pass_context
def rm(context: Context, name: str) -> None:
    """End the watch of the log NAME, and close what it told."""
    done = log_watches.remove(context.desk, context.only(), name)
    render.emit(
        context, "watch-log-rm", done, f"{render.paint('✓', 'green')} `{render.inert(done.name)}` is not watched"
    )


@watch_log.command("backtest", short_help="What a log file would have told, had it been watched.")
@click.argument("file", type=click.Path())
@pass_context
def backtest(context: Context, file: str) -> None:
    """Read FILE as if live: its first half is learnt, and of the second it is said what would have been told."""
    found = log_watches.backtest(Path(file).expanduser())
    lines = [
        f"  {found.lines} lines, {found.entries} entries, {found.templates} templates; {found.learnt} entries learnt"
    ]
    rows: list[list[render.Cell]] = [["LINE", "NEWS", "LEVEL", "TEMPLATE"]]
    rows += [[str(n.line), n.news if n.news == "new" else f"{n.here}×", n.level, n.template] for n in found.news]
    lines.append(render.table(rows) if found.news else "  Nothing would have been told.")
    lines += [f"  and {found.unsaid} more, beyond five an hour"] if found.unsaid else []
    render.emit(context, "watch-log-backtest", found, "\n".join(lines))


def _standing(found: Sequence[WatchedLogOut]) -> str:
    rows: list[list[render.Cell]] = [["NAME", "STATE", "ENTRIES", "TEMPLATES", "TOLD", "SOURCE"]]
    for w in found:
        state = render.Styled(w.state, _STYLES.get(w.state, ""))
        rows.append([w.name, state, str(w.entries), str(w.templates), str(w.told), w.source])
    lines = [render.table(rows)]
    lines += [f"  {w.name}: {render.inert(w.why)}" for w in found if w.why]
    lines += [f"  {w.name}: {w.unsaid} more were new, beyond five an hour" for w in found if w.unsaid]
    lines += [f"  {w.name}: {w.skipped} bytes were too many to read" for w in found if w.skipped]
    return "\n".join(lines)
