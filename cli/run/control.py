"""`pause`, `resume`, `mute`, `unmute`, `tick`: controls of the assistant as a whole."""

from __future__ import annotations

import shlex

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import controlling
from kairos.desk.units import count
from kairos.desk.when import at_hand


def warn_of_configuration(context: Context) -> None:
    """Warns on stderr about a wrong configuration, for a command that works regardless."""
    wrong = controlling.wrong_configuration(context.desk)
    if wrong is not None:
        render.message(context, f"{render.paint('warning:', 'yellow')} {render.inert(wrong, lines=True)}")


@click.command()
@click.argument("duration", metavar="[DUR]", required=False)
@pass_context
def pause(context: Context, duration: str | None) -> None:
    """The kill switch: no turns, no deliveries, no executions, for DUR (2h, tonight, …) or until resumed; everywhere,
    or with --repo in one repository."""
    context.desk.lenient = True
    done = controlling.pause(context.desk, duration, context.only())
    what = f"{render.inert(done.repo)} is" if done.repo else "everything is"
    ends = f"kairos resume{f' --repo {shlex.quote(done.repo)}' if done.repo else ''}"
    until = (
        f"until {at_hand(done.until)}; {render.inert(ends)} ends it" if done.until else f"until {render.inert(ends)}"
    )
    render.emit(context, "pause", done, f"{what} paused {until}")
    warn_of_configuration(context)


@click.command()
@pass_context
def resume(context: Context) -> None:
    """End every pause, or with --repo that of one repository."""
    done = controlling.resume(context.desk, context.only())
    where = [render.inert(root) if root is not None else "everything" for root in done.resumed]
    render.emit(context, "resume", done, f"resumed: {', '.join(where)}" if where else "nothing was paused")


@click.command()
@pass_context
def tick(context: Context) -> None:
    """Have the daemon look now whether something is due: nightly work, expiry, held deliveries."""
    done = controlling.tick(context.desk)
    render.emit(context, "tick", done, f"the daemon (pid {done.pid}) looks now")


def _mute(context: Context, detector: str, *, muted: bool) -> None:
    done = controlling.mute(context.desk, detector, context.only(), muted=muted)
    where = f"in {render.inert(done.repo)}" if done.repo else "everywhere"
    lines = [f"{detector} is {'silent' if muted else 'heard'} {where}"]
    if done.lift is not None:
        ends = f"{render.inert(done.lift)} (or kairos undo {done.position})"
        lines.append(f"  what it finds is kept; {ends} ends this and tells it")
    elif done.muted_still:
        lines.append("  another mute of it is in force: kairos why-not names it")
    elif done.held:
        lines.append(f"  {count(done.held, 'finding')} that the mute held back: looked at again {_when(context)}")
    render.emit(context, "mute" if muted else "unmute", done, "\n".join(lines))


def _when(context: Context) -> str:
    return "now" if context.desk.daemon_running() else "when the daemon runs (kairos start)"


@click.command()
@click.argument("detector")
@pass_context
def mute(context: Context, detector: str) -> None:
    """Silence one detector everywhere, or with --repo in one repository."""
    _mute(context, detector, muted=True)


@click.command()
@click.argument("detector")
@pass_context
def unmute(context: Context, detector: str) -> None:
    """Let a silenced detector speak again, everywhere or with --repo in one repository."""
    _mute(context, detector, muted=False)
