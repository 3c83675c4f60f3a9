"""What is watched, what is pending, and today's cost."""

from __future__ import annotations

from kairos._version import VERSION
from kairos.clock import local_zone, now_us
from kairos.daemon.presence import Status, read_status, running
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.leased import holders
from kairos.desk.reading import attention, inbox, repositories, usage
from kairos.desk.records.repositories import DaemonOut, InboxCount, LogOut, RepoOut, StatusOut, TodayOut
from kairos.domain.attention import local_day


def status(desk: Desk) -> StatusOut:
    """The status, from the log, its views and the daemon's status file."""
    pid = running(desk.home)
    said = read_status(desk.home) if pid is not None else None
    return _collected(desk, pid, said)


@of_one_moment
def _collected(desk: Desk, pid: int | None, said: Status | None) -> StatusOut:
    now, zone = now_us(), local_zone()
    today = local_day(now, zone)
    spent = usage(desk)
    calls = [micros for at, micros in spent.calls if local_day(at, zone) == today]
    proposals = inbox(desk)
    return StatusOut(
        daemon=DaemonOut(running=pid is not None, pid=pid),
        repos=_repos(desk, said),
        log=_log(desk),
        inbox=InboxCount(
            pending=len(proposals.pending()),
            deferred=sum(p.state == "deferred" for p in proposals.live()),
        ),
        today=TodayOut(
            model_calls=len(calls),
            spent_usd=round(sum(calls) / 1e6, 6),
            turns=sum(count for at, count in spent.turns if local_day(at, zone) == today),
        ),
        paused=attention(desk).is_paused(now),
    )


def other_version(desk: Desk) -> str | None:
    """The version of the running daemon, if it is not this program's."""
    said = read_status(desk.home) if running(desk.home) is not None else None
    return said.program if said is not None and said.program != VERSION else None


def calls_today(desk: Desk) -> int:
    """The number of model calls on this local day."""
    zone = local_zone()
    today = local_day(now_us(), zone)
    return sum(local_day(at, zone) == today for at, _ in usage(desk).calls)


def one_line(status: StatusOut) -> str:
    """One line, for a prompt or a status bar."""
    daemon = "paused" if status.paused else "on" if status.daemon.running else "off"
    bad = [r.state for r in status.repos if r.state in ("degraded", "lost")]
    return f"kairos {daemon} · {status.inbox.pending} pending" + (f" · {len(bad)} {bad[0]}" if bad else "")


def next_command(status: StatusOut) -> str:
    """The command to suggest next."""
    if not status.repos:
        return "kairos watch PATH"
    if status.paused:
        return "kairos resume"
    if status.inbox.pending:
        return "kairos review"
    return "kairos log" if status.daemon.running else "kairos start"


def _repos(desk: Desk, said: Status | None) -> list[RepoOut]:
    live = {repo.path: repo for repo in said.repos} if said is not None else {}
    elsewhere = holders(desk)
    out = []
    for repository in sorted(repositories(desk).by_id.values(), key=lambda r: r.root):
        if not repository.watched:
            continue
        repo = live.get(repository.root)
        out.append(
            RepoOut(
                path=repository.root, state=repo.state, directories=repo.directories, watched=repo.watched,
                polled=repo.polled, ignored=repo.ignored, why=repo.why,
            )
            if repo is not None
            else RepoOut(
                path=repository.root, state="stopped", directories=0, watched=0, polled=0, ignored=0,
                held_by=elsewhere.get(repository.id),
            )
        )  # fmt: skip
    return out


def _log(desk: Desk) -> LogOut:
    if not desk.has_log:
        return LogOut(head=0, sealed_upto=0, bytes=0, events=0)
    head = desk.log.head()
    cold = () if desk.log.shared else desk.home.segments.glob("*")  # a shared log stores its segments in the database
    return LogOut(
        head=head,
        sealed_upto=desk.log.sealed_upto(),
        bytes=desk.log.hot_bytes() + sum(f.stat().st_size for f in cold if f.is_file()),
        events=head,
    )
