"""Controls of the assistant as a whole: pause, resume, mute, tick. They are recorded in the log, so they work without a
daemon and survive its restart."""

from __future__ import annotations

import os
import signal

from kairos.clock import local_zone, now_us, rfc3339
from kairos.daemon.presence import running
from kairos.desk.desk import Desk
from kairos.desk.reading import attention
from kairos.desk.records.repositories import RunningOut
from kairos.desk.records.system import MuteOut, PauseOut
from kairos.desk.when import until
from kairos.domain.events import DetectorMuted, DetectorUnmuted, Event, Paused, Resumed
from kairos.errors import NoDaemon, UsageError
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.repositories import Repository

CONTROL = "control"


def pause(desk: Desk, duration: str | None, only: Repository | None = None) -> PauseOut:
    """No turns, deliveries or executions for a while (as typed), or until `resume`, in one repository or everywhere.
    UsageError."""
    desk.lenient = True  # a pause must work even if the configuration is wrong
    ends, now = None, now_us()
    if duration is not None:
        ends = until(duration, now, local_zone())
        if ends is None or ends <= now:
            raise UsageError(f"`{duration}` is not a duration", "Give 30m, 2h, 1d, tonight or tomorrow; or nothing.")
    position = _say(desk, Paused(until=ends, repo=only.id if only is not None else ""))
    return PauseOut(paused=True, until=rfc3339(ends) if ends else None, position=position, repo=_root(only))


def wrong_configuration(desk: Desk) -> str | None:
    """What is wrong with the configuration, for a command that works regardless; None if nothing is."""
    try:
        _ = desk.config
    except UsageError as error:
        return error.message
    return None


def resume(desk: Desk, only: Repository | None = None) -> PauseOut:
    """Ends every pause, or that of one repository; `position` is null if nothing was paused. UsageError for one
    repository while everything is paused."""
    state = attention(desk)
    if only is not None and state.is_paused(now_us()):
        raise UsageError(
            f"everything is paused, not {only.root} alone",
            "`kairos resume` without --repo ends the pause of everything.",
        )
    if only is None:
        ended = [*([""] if state.paused else []), *state.paused_repos]
    else:
        ended = [only.id] if only.id in state.paused_repos else []
    positions = [_say(desk, Resumed(repo=repo)) for repo in ended]
    return PauseOut(paused=False, until=None, position=positions[-1] if positions else None, repo=_root(only))


def _root(repository: Repository | None) -> str | None:
    return None if repository is None else repository.root


def tick(desk: Desk) -> RunningOut:
    """Makes the daemon check now whether work is due. NoDaemon (10)."""
    pid = running(desk.home)
    if not pid:  # 0: a daemon holds the lock but has not written its pid; the signal would go to this process
        raise NoDaemon("no daemon runs on this home", "Start one: kairos start.")
    os.kill(pid, signal.SIGUSR1)
    return RunningOut(running=True, pid=pid)


def detectors() -> list[str]:
    """The names of the detectors that this program has."""
    from kairos.agent.patches import DETECTOR
    from kairos.daemon.check_findings import DETECTOR as CHECK
    from kairos.detectors.looking import ALL

    return sorted([DETECTOR, CHECK, *(detector.name for detector in ALL)])


def mute(desk: Desk, detector: str, repo: Repository | None, *, muted: bool = True) -> MuteOut:
    """Silences a detector everywhere or in one repository, or with `muted` false unmutes it. UsageError."""
    known = detectors()
    if detector not in known:
        raise UsageError(f"there is no detector `{detector}`", f"Detectors are {', '.join(known)}.")
    event = (DetectorMuted if muted else DetectorUnmuted)(detector=detector, repo=repo.id if repo else "")
    return MuteOut(detector=detector, repo=repo.root if repo else None, muted=muted, position=_say(desk, event))


def _say(desk: Desk, event: Event) -> int:
    desk.home.prepare()
    return desk.log.append([NewEvent(CONTROL, event, None, "user")])[0]
