"""What is watched, what is pending, and today's cost."""

from __future__ import annotations

import shlex

import msgspec

from kairos._version import VERSION
from kairos.clock import local_zone, now_us, rfc3339
from kairos.daemon.presence import Status, read_status, running
from kairos.desk.by_rule import by_rule, in_words
from kairos.desk.costing import today as today_of
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.leased import holders
from kairos.desk.model_state import in_one_sentence, model_state
from kairos.desk.reading import attention, inbox, learned_of, repositories, resting, unwatched, usage, waiting
from kairos.desk.records.detectors import LearnedPlaceOut
from kairos.desk.records.repositories import DaemonOut, InboxCount, InboxMoreOut, LogOut, RepoOut, StatusOut, TodayOut
from kairos.desk.records.system import MutedOut
from kairos.desk.units import count
from kairos.domain.attention import local_day
from kairos.domain.proposal import UNDECIDED
from kairos.errors import KairosError
from kairos.eventlog.views.log_watches import LogWatchesView
from kairos.eventlog.views.repositories import Repository


def status(desk: Desk, only: Repository | None = None) -> StatusOut:
    """The status, from the log, its views and the daemon's status file. `only`: what is watched, what waits and what
    today cost are those of one repository; the log and the daemon are for all."""
    pid = running(desk.home)
    said = read_status(desk.home) if pid is not None else None
    return _collected(desk, pid, said, only)


@of_one_moment
def _collected(desk: Desk, pid: int | None, said: Status | None, only: Repository | None) -> StatusOut:
    now, state = now_us(), attention(desk)
    proposals = inbox(desk)
    away = unwatched(desk)
    live = (p for p in proposals.live() if p.raised.repo not in away)
    mine = [p for p in live if only is None or p.raised.repo == only.id]
    until = state.paused_until if state.is_paused(now) else None
    parked = [p for p in mine if p.state == "parked"]
    found = StatusOut(
        daemon=DaemonOut(running=pid is not None, pid=pid),
        repos=_repos(desk, said, only),
        log=_log(desk),
        inbox=InboxCount(
            pending=sum(p.state in UNDECIDED for p in mine), deferred=sum(p.state == "deferred" for p in mine),
            parked=len(parked),
        ),
        today=_today(desk, only),
        paused=state.is_paused(now),
        paused_until=rfc3339(until) if until is not None else None,
        policy_error=policy_error(desk),
        muted=_muted(desk, only), silent=_silent(desk, only), suggested=_suggested(desk),
        parked_for=list(dict.fromkeys(p.parked for p in parked)),
        unwatched=resting(desk, only),
        model=model_state(desk),
        by_rule=by_rule(desk, only),
        unread_logs=_unread_logs(desk, only),
    )  # fmt: skip
    return msgspec.structs.replace(found, next=next_command(found))


def _muted(desk: Desk, only: Repository | None) -> list[MutedOut]:
    if not attention(desk).muted:
        return []
    from kairos.desk.controlling import mutes  # what it reads with is slow to load, and mutes are rare

    return mutes(desk, only)


def _silent(desk: Desk, only: Repository | None) -> list[LearnedPlaceOut]:
    if not learned_of(desk).tallies:
        return []
    from kairos.desk.learning import silent_now

    return silent_now(desk, only)


def _unread_logs(desk: Desk, only: Repository | None) -> list[str]:
    if not desk.view(LogWatchesView()).by_repo:
        return []
    from kairos.desk.log_watches import unreadable  # logs are rarely watched

    return [f"log watch {w.name} of {w.repo}: {w.why}" for w in unreadable(desk, only)]


def _suggested(desk: Desk) -> list[str]:
    if not learned_of(desk).tallies:
        return []
    from kairos.desk.detecting import suggestions

    return suggestions(desk)


def _today(desk: Desk, only: Repository | None) -> TodayOut:
    zone = local_zone()
    if only is not None:
        found = today_of(desk, only, zone)
        return _costs(found.calls, found.microusd, found.reserved, found.turns, _told(desk, only))
    today, spent = local_day(now_us(), zone), usage(desk)
    costs = [cost for at, cost in spent.calls if local_day(at, zone) == today]
    reserved = [cost for at, cost in spent.open.values() if local_day(at, zone) == today]
    turns = sum(count for at, count in spent.turns if local_day(at, zone) == today)
    return _costs(len(costs) + len(reserved), sum(costs) + sum(reserved), sum(reserved), turns, _told(desk, None))


def _costs(calls: int, microusd: int, reserved: int, turns: int, told: dict[str, int]) -> TodayOut:
    return TodayOut(
        model_calls=calls,
        spent_usd=round(microusd / 1e6, 6),
        reserved_usd=round(reserved / 1e6, 6),
        turns=turns,
        **told,
    )


def _told(desk: Desk, only: Repository | None) -> dict[str, int]:
    """How many findings were told today (urgent ones do not count), and how many wait untold."""
    zone = local_zone()
    today, known = local_day(now_us(), zone), inbox(desk)
    told = {d.id for d in attention(desk).deliveries if not d.urgent and local_day(d.at, zone) == today}
    if only is not None:
        told = {i for i in told if i in known.proposals and known.proposals[i].raised.repo == only.id}
    untold = [p for p in waiting(desk, only) if not p.delivered]
    limits = desk.config.attention
    return {
        "told": len(told), "per_day": limits.per_day, "per_day_total": limits.per_day_total, "untold": len(untold)
    }  # fmt: skip


def policy_error(desk: Desk) -> str | None:
    """What is wrong with policy.toml, because of which nothing is carried out; None if it can be used."""
    if not desk.home.policy_file.exists():
        return None
    from kairos.acting.policy_file import load_policy

    try:
        load_policy(desk.home.policy_file)
    except KairosError as error:
        return error.message
    return None


def other_version(desk: Desk) -> str | None:
    """The version of the running daemon, if it is not this program's."""
    said = read_status(desk.home) if running(desk.home) is not None else None
    return said.program if said is not None and said.program != VERSION else None


def one_line(status: StatusOut) -> str:
    """One line, for a prompt or a status bar."""
    daemon = "paused" if status.paused else "on" if status.daemon.running else "off"
    bad = [r.state for r in status.repos if r.state in ("degraded", "lost")]
    ill = status.model is not None and status.model.state != "ready"
    return (
        f"kairos {daemon} · {status.inbox.pending} pending"
        + (f" · {len(bad)} {bad[0]}" if bad else "")
        + (f" · model {status.model.state.replace('_', ' ')}" if status.model is not None and ill else "")
    )


def next_command(status: StatusOut) -> str:
    """The command to suggest next."""
    if not status.repos:
        return "kairos watch PATH"
    if status.paused:
        return "kairos resume"
    if status.inbox.pending:
        return "kairos review"
    if not status.daemon.running:
        return "kairos start"
    if status.policy_error:
        return "kairos policy ls"
    return "kairos doctor" if any(r.state in ("degraded", "lost") for r in status.repos) else "kairos log -n 20"


def unheard(status: StatusOut | InboxMoreOut) -> list[str]:
    """What rules did, what is muted, what is parked, what rests unwatched, which watched logs cannot be read and what
    is wrong with the model, a sentence each; for who wonders at the silence."""
    lines = [in_words(status.by_rule)] if status.by_rule else []
    if status.muted:
        names = ", ".join(m.detector + (f" in {m.repo}" if m.repo is not None else "") for m in status.muted)
        lifts = status.muted[0].lift if len(status.muted) == 1 else "kairos unmute DETECTOR [--repo PATH]"
        lines.append(f"{count(len(status.muted), 'mute')} in force: {names} ({lifts})")
    if isinstance(status, StatusOut):
        lines += [*(f"{s.why} ({s.ends})" for s in status.silent), *status.suggested]
        lines += [f"{why} (kairos watch-log ls)" for why in status.unread_logs]
    parked = status.inbox.parked if isinstance(status, StatusOut) else status.parked
    if parked:
        waits = status.parked_for[0] if len(status.parked_for) == 1 else "what it rests on is not in the tree now"
        lines.append(f"{parked} parked: {waits} (kairos inbox --parked)")
    lines += [
        f"{count(n, 'proposal')} of {root}, which is not watched (kairos init {shlex.quote(root)} brings "
        f"{'it' if n == 1 else 'them'} back)"
        for root, n in status.unwatched.items()
    ]
    if status.model is not None and status.model.state != "ready":
        lines.append(in_one_sentence(status.model))
    return lines


def _repos(desk: Desk, said: Status | None, only: Repository | None) -> list[RepoOut]:
    now, state = now_us(), attention(desk)
    live = {repo.path: repo for repo in said.repos} if said is not None else {}
    elsewhere = holders(desk)
    out = []
    for repository in sorted(repositories(desk).by_id.values(), key=lambda r: r.root):
        if not repository.watched or (only is not None and repository.id != only.id):
            continue
        paused = repository.id in state.paused_repos and state.is_paused(now, repository.id)
        ends = state.paused_repos.get(repository.id) if paused else None
        until = rfc3339(ends) if ends else None
        repo = live.get(repository.root)
        out.append(
            RepoOut(
                path=repository.root, state=repo.state, directories=repo.directories, watched=repo.watched,
                polled=repo.polled, ignored=repo.ignored, why=repo.why, repo=repository.id, paused=paused,
                paused_until=until,
            )
            if repo is not None
            else RepoOut(
                path=repository.root, state="stopped", directories=0, watched=0, polled=0, ignored=0,
                held_by=elsewhere.get(repository.id), repo=repository.id, paused=paused, paused_until=until,
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
