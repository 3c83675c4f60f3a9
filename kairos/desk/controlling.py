"""Controls of the assistant as a whole: pause, resume, mute, tick. They are recorded in the log, so they work without a
daemon and survive its restart."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Sequence

from kairos.clock import local_zone, now_us, rfc3339
from kairos.daemon.presence import running
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.learning import known
from kairos.desk.reading import attention, repositories, roots_of
from kairos.desk.records.repositories import RunningOut
from kairos.desk.records.system import MutedOut, MuteOut, PauseOut
from kairos.desk.when import ahead
from kairos.domain.events import DetectorMuted, DetectorUnmuted, Event, Paused, Resumed
from kairos.domain.holds import MUTE
from kairos.errors import NoDaemon, UsageError
from kairos.eventlog.record import NewEvent, Recorded
from kairos.eventlog.views.findings import FindingsView
from kairos.eventlog.views.repositories import Repository

CONTROL = "control"


def pause(desk: Desk, duration: str | None, only: Repository | None = None) -> PauseOut:
    """No turns, deliveries or executions for a while (as typed), or until `resume`, in one repository or everywhere.
    UsageError."""
    desk.lenient = True  # a pause must work even if the configuration is wrong
    ends, now = None, now_us()
    if duration is not None:
        ends = ahead(duration, now, local_zone(), "30m, 2h, 1d, tonight, tomorrow or a time, or nothing")
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
    roots = roots_of(desk)
    return PauseOut(
        paused=False, until=None, position=positions[-1] if positions else None, repo=_root(only),
        resumed=[roots.get(repo, repo) or None for repo in ended],
    )  # fmt: skip


def _root(repository: Repository | None) -> str | None:
    return None if repository is None else repository.root


def tick(desk: Desk) -> RunningOut:
    """Makes the daemon check now whether work is due. NoDaemon (10)."""
    pid = running(desk.home)
    if not pid:  # 0: a daemon holds the lock but has not written its pid; the signal would go to this process
        raise NoDaemon("no daemon runs on this home", "Start one: kairos start.")
    os.kill(pid, signal.SIGUSR1)
    return RunningOut(running=True, pid=pid)


def mute(desk: Desk, detector: str, repo: Repository | None, *, muted: bool = True) -> MuteOut:
    """Silences a detector everywhere or in one repository, or with `muted` false unmutes it. UsageError."""
    known(desk, detector)
    of = [repo.id] if repo else list(repositories(desk).by_id)
    event = (DetectorMuted if muted else DetectorUnmuted)(detector=detector, repo=repo.id if repo else "")
    return MuteOut(
        detector=detector, repo=repo.root if repo else None, muted=muted, position=_say(desk, event),
        held=held_by_mute(desk, detector, of), lift=lift(detector, repo.root if repo else None) if muted else None,
        muted_still=not muted and _is_muted(desk, detector, repo),
    )  # fmt: skip


def _is_muted(desk: Desk, detector: str, repo: Repository | None) -> bool:
    """Whether a detector is muted in a repository, or (None) in any."""
    state = attention(desk)
    return any(state.is_muted(detector, r) for r in ([repo.id] if repo else repositories(desk).by_id))


@of_one_moment
def mutes(desk: Desk, only: Repository | None = None) -> list[MutedOut]:
    """The mutes in force that concern a repository (None: all), by detector."""
    muted = [tuple(text.split("|", 1)) for text in attention(desk).muted]
    repos = repositories(desk).by_id
    out = []
    for detector, repo in sorted(m for m in muted if only is None or m[1] in ("", only.id)):
        said = _muted_at(desk, detector, repo)
        root = repos[repo].root if repo in repos else repo or None
        out.append(
            MutedOut(
                detector=detector, repo=root, since=None if said is None else rfc3339(said.at),
                position=None if said is None else said.position,
                held=held_by_mute(desk, detector, [repo] if repo else [only.id] if only else list(repos)),
                lift=lift(detector, root),
            )
        )  # fmt: skip
    return out


def lift(detector: str, root: str | None) -> str:
    """The command that ends a mute, of one repository or (None) of all."""
    return f"kairos unmute {detector}" + (f" --repo {shlex.quote(root)}" if root is not None else "")


@of_one_moment
def held_by_mute(desk: Desk, detector: str, repos: Sequence[str]) -> int:
    """How many findings of a detector a mute holds back in these repositories."""
    findings = desk.view(FindingsView())
    return len({(repo, held.finding) for repo in repos for held in findings.waiting(repo, MUTE, detector)})


def _muted_at(desk: Desk, detector: str, repo: str) -> Recorded | None:
    """The event that muted a detector last."""
    found = None
    for recorded in desk.log.read(topics={"DetectorMuted"}):
        event = recorded.event
        if isinstance(event, DetectorMuted) and (event.detector, event.repo) == (detector, repo):
            found = recorded
    return found


def _say(desk: Desk, event: Event) -> int:
    desk.home.prepare()
    return desk.log.append([NewEvent(CONTROL, event, None, "user")])[0]
