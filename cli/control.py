"""`pause`, `resume`, `mute`, `unmute`: what a person says to the assistant as a whole. Works without a daemon,
and survives its restart, for it is in the log."""

from __future__ import annotations

import os
import signal

import click

from cli import render
from cli.context import Context, pass_context
from cli.outputs import MuteOut, PauseOut, RunningOut
from cli.reading import attention, selected
from cli.when import until as parse_until
from kairos.clock import local_zone, now_us, rfc3339
from kairos.daemon.presence import running
from kairos.domain.events import DetectorMuted, DetectorUnmuted, Event, Paused, Resumed
from kairos.errors import NoDaemon, UsageError
from kairos.eventlog.record import NewEvent

CONTROL = "control"


def warn_of_configuration(context: Context) -> None:
    """Says on stderr what is wrong with the configuration, for a command that works all the same."""
    try:
        _ = context.config
    except UsageError as error:
        render.message(context, f"{render.paint('warning:', 'yellow')} {render.inert(error.message, lines=True)}")


def _say(context: Context, event: Event) -> int:
    context.home.prepare()
    return context.log.append([NewEvent(CONTROL, event, None, "user")])[0]


@click.command()
@click.argument("duration", metavar="[DUR]", required=False)
@pass_context
def pause(context: Context, duration: str | None) -> None:
    """The kill switch: no turns, no deliveries, no executions, for DUR (2h, tonight, …) or until resumed."""
    context.lenient = True  # what stops everything must not wait for a corrected configuration
    ends = None
    if duration is not None:
        ends = parse_until(duration, now_us(), local_zone())
        if ends is None:
            raise UsageError(f"`{duration}` is no duration", "Give 30m, 2h, 1d, tonight or tomorrow; or nothing.")
    position = _say(context, Paused(until=ends))
    when = rfc3339(ends) if ends else None
    text = f"paused until {when}" if when else "paused until `kairos resume`"
    render.emit(context, "pause", PauseOut(paused=True, until=when, position=position), text)
    warn_of_configuration(context)


@click.command()
@pass_context
def resume(context: Context) -> None:
    """End a pause."""
    position = _say(context, Resumed()) if attention(context).paused else None
    text = "resumed" if position else "nothing was paused"
    render.emit(context, "resume", PauseOut(paused=False, until=None, position=position), text)


@click.command()
@pass_context
def tick(context: Context) -> None:
    """Have the daemon look now whether something is due: nightly work, expiry, held deliveries."""
    pid = running(context.home)
    if not pid:  # 0: a daemon that has the lock and not yet said who it is; the signal would go to ourselves
        raise NoDaemon("no daemon runs on this home", "Start one: kairos start.")
    os.kill(pid, signal.SIGUSR1)
    render.emit(context, "tick", RunningOut(running=True, pid=pid), f"the daemon (pid {pid}) looks now")


def detectors() -> list[str]:
    """The names of the detectors that this program has."""
    from kairos.agent.judging import DETECTOR
    from kairos.detectors.looking import ALL

    return sorted([DETECTOR, *(detector.name for detector in ALL)])


def _mute(context: Context, detector: str, *, muted: bool) -> None:
    known = detectors()
    if detector not in known:
        raise UsageError(f"there is no detector `{detector}`", f"Detectors are {', '.join(known)}.")
    repo = selected(context)
    event = (DetectorMuted if muted else DetectorUnmuted)(detector=detector, repo=repo.id if repo else "")
    data = MuteOut(detector=detector, repo=repo.root if repo else None, muted=muted, position=_say(context, event))
    where = f"in {render.inert(repo.root)}" if repo else "everywhere"
    render.emit(context, "mute" if muted else "unmute", data, f"{detector} is {'silent' if muted else 'heard'} {where}")


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
