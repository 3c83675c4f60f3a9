"""`daemon run`, `start`, `stop`: the process that watches."""

from __future__ import annotations

import click

from cli import render
from cli.context import Context, pass_context
from cli.look.status import warn_of_other_version
from cli.run.control import warn_of_configuration
from kairos.desk import daemon_log, starting
from kairos.desk.records.repositories import RunningOut


def run_here(context: Context) -> int:
    """Runs the daemon in this process until a signal ends it; returns its exit code."""
    return starting.run_here(
        context.desk,
        on_ready=lambda: render.exactly(starting.READY),
        report=lambda text: render.message(context, render.inert(text, lines=True)),
    )


@click.group()
def daemon() -> None:
    """Run the daemon in the foreground, or read its own log."""


@daemon.command(short_help="Watch every trusted repository until SIGTERM.")
@pass_context
def run(context: Context) -> int:
    """Watch every trusted repository until SIGTERM; says `ready` on stderr when watching has begun everywhere."""
    return run_here(context)


@daemon.command(short_help="What happened to the daemon: its own log.")
@click.option(
    "-n",
    "last",
    type=click.IntRange(1, 100_000),
    metavar="N",
    default=40,
    show_default=True,
    help="Only the last N lines.",
)
@pass_context
def logs(context: Context, last: int) -> None:
    """What happened to the daemon: when it started and stopped, over what, and what went wrong. Of the event log, see
    `kairos log`."""
    found = daemon_log.recent(context.desk, last)
    lines = [render.folded(render.inert(line), hang="    ") for line in found.lines]
    text = "\n".join(lines) if lines else render.folded("  No daemon ran here yet.   Next: kairos start")
    render.emit(context, "daemon-logs", found, text, page=True)
    if lines:
        render.message(context, render.paint(f"from {render.inert(found.path)}", "dim"))


@click.command()
@pass_context
def start(context: Context) -> None:
    """Start the daemon in the background. Harmless when one runs already."""
    with render.progress(context, "starting"):
        pid, now = starting.start(context.desk)
    if now:
        text = f"{render.paint('✓', 'green')} the daemon watches (pid {pid})"
    else:
        warn_of_other_version(context)
        text = f"the daemon runs already (pid {pid})"
    render.emit(context, "start", RunningOut(running=True, pid=pid), text)


@click.command()
@pass_context
def stop(context: Context) -> None:
    """Stop the daemon; returns when it has drained and let the home go."""
    starting.stop(context.desk)
    render.emit(context, "stop", RunningOut(running=False, pid=None), f"{render.paint('✓', 'green')} stopped")
    warn_of_configuration(context)
