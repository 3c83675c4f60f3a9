"""`kairos status`, and what `kairos` alone says."""

from __future__ import annotations

import click

from cli import render
from cli.context import Context, pass_context
from cli.holding import holders
from cli.outputs import DaemonOut, InboxCount, LogOut, RepoOut, StatusOut, TodayOut
from cli.reading import at_one_moment, attention, inbox, ledger, repositories
from kairos._version import VERSION
from kairos.clock import local_zone, now_us
from kairos.daemon.presence import Status, read_status, running
from kairos.domain.attention import local_day

STATE_STYLES = {"watching": "green", "degraded": "yellow", "lost": "red", "stopped": "dim"}


def collect(context: Context) -> StatusOut:
    """The status from the log, its views and the daemon's own word."""
    pid = running(context.home)
    said = read_status(context.home) if pid is not None else None
    warn_of_other_version(context, said)
    return at_one_moment(context, lambda: _collected(context, pid, said))


def _collected(context: Context, pid: int | None, said: Status | None) -> StatusOut:
    now, zone = now_us(), local_zone()
    today = local_day(now, zone)
    spent = ledger(context)
    calls = [micros for at, micros in spent.calls if local_day(at, zone) == today]
    proposals = inbox(context)
    return StatusOut(
        daemon=DaemonOut(running=pid is not None, pid=pid),
        repos=_repos(context, said),
        log=_log(context),
        inbox=InboxCount(
            pending=len(proposals.pending()),
            deferred=sum(p.state == "deferred" for p in proposals.live()),
        ),
        today=TodayOut(
            model_calls=len(calls),
            spent_usd=round(sum(calls) / 1e6, 6),
            turns=sum(local_day(at, zone) == today for at in spent.turns),
        ),
        paused=attention(context).is_paused(now),
    )


def warn_of_other_version(context: Context, said: Status | None) -> None:
    """A daemon of another version than this program is said so, on stderr."""
    if said is None:
        return
    if said.program != VERSION:
        render.message(
            context,
            f"{render.paint('warning:', 'yellow')} the daemon is version {render.inert(said.program)}, this command"
            f" {VERSION}; run `kairos stop` and `kairos start`",
        )


def _repos(context: Context, said: Status | None) -> list[RepoOut]:
    live = {repo.path: repo for repo in said.repos} if said is not None else {}
    elsewhere = holders(context)
    out = []
    for repository in sorted(repositories(context).by_id.values(), key=lambda r: r.root):
        if not repository.watched:
            continue
        repo = live.get(repository.root)
        out.append(
            RepoOut(
                path=repository.root, state=repo.state, directories=repo.directories, watched=repo.watched,
                polled=repo.polled, ignored=repo.ignored,
            )
            if repo is not None
            else RepoOut(
                path=repository.root, state="stopped", directories=0, watched=0, polled=0, ignored=0,
                held_by=elsewhere.get(repository.id),
            )
        )  # fmt: skip
    return out


def _log(context: Context) -> LogOut:
    if not context.has_log:
        return LogOut(head=0, sealed_upto=0, bytes=0, events=0)
    head = context.log.head()
    cold = () if context.log.shared else context.home.segments.glob("*")  # a shared log has the segments in it
    return LogOut(
        head=head,
        sealed_upto=context.log.sealed_upto(),
        bytes=context.log.hot_bytes() + sum(f.stat().st_size for f in cold if f.is_file()),
        events=head,
    )


def next_command(status: StatusOut) -> str:
    """The one command that makes sense now."""
    if not status.repos:
        return "kairos watch PATH"
    if status.paused:
        return "kairos resume"
    if status.inbox.pending:
        return "kairos review"
    return "kairos log" if status.daemon.running else "kairos start"


def text_of(status: StatusOut) -> str:
    """The status for a person."""
    daemon = (
        f"{render.paint('running', 'green')} (pid {status.daemon.pid})"
        if status.daemon.running
        else render.paint("not running", "yellow")
    )
    rows: list[list[render.Cell]] = [
        [render.Styled(r.state, STATE_STYLES.get(r.state, "")), r.path, _directories(r)] for r in status.repos
    ]
    parts = [f"daemon {daemon}" + (render.paint("  paused", "red") if status.paused else "")]
    parts.append(render.table(rows) if rows else "  no repository is watched")
    parts.append(
        f"log {render.number(status.log.events)} events, {render.size(status.log.bytes)}   ·   "
        f"inbox {status.inbox.pending} pending, {status.inbox.deferred} deferred   ·   "
        f"today {status.today.turns} turns, {status.today.model_calls} model calls, ${status.today.spent_usd:.2f}"
    )
    return "\n".join(parts)


def _directories(repo: RepoOut) -> str:
    if repo.state == "stopped":
        return f"{render.inert(repo.held_by)} has it" if repo.held_by else ""
    polled = f", {render.number(repo.polled)} polled" if repo.polled else ""
    return (
        f"{render.count(repo.directories, 'directory', 'directories')}, {render.number(repo.watched)} watches{polled}"
    )


def short_text(status: StatusOut) -> str:
    """One line, for a prompt or a status bar."""
    daemon = "paused" if status.paused else "on" if status.daemon.running else "off"
    bad = [r.state for r in status.repos if r.state in ("degraded", "lost")]
    return f"kairos {daemon} · {status.inbox.pending} pending" + (f" · {len(bad)} {bad[0]}" if bad else "")


def overview(context: Context) -> None:
    """`kairos` alone."""
    status = collect(context)
    render.emit(context, "status", status, f"{text_of(status)}\n\nNext: {render.paint(next_command(status), 'bold')}")


@click.command()
@click.option("--short", is_flag=True, help="One line, for a prompt or a status bar.")
@pass_context
def status(context: Context, short: bool) -> None:
    """What is watched, what is pending, and what today cost."""
    found = collect(context)
    render.emit(context, "status", found, short_text(found) if short else text_of(found))
