"""`kairos status`, and the output of `kairos` without a verb."""

from __future__ import annotations

import click

from cli import render
from cli.context import Context, pass_context
from kairos._version import VERSION
from kairos.desk.records.repositories import RepoOut, StatusOut, TodayOut
from kairos.desk.status import one_line, other_version, unheard
from kairos.desk.status import status as status_of
from kairos.desk.units import count, number, size
from kairos.desk.when import at_hand

STATE_STYLES = {"watching": "green", "degraded": "yellow", "lost": "red", "stopped": "dim"}


def answer(context: Context) -> StatusOut:
    """The status; warns on stderr if the daemon has another version than this program."""
    found = status_of(context.desk, context.only())
    warn_of_other_version(context)
    return found


def warn_of_other_version(context: Context) -> None:
    other = other_version(context.desk)
    if other is not None:
        render.message(
            context,
            f"{render.paint('warning:', 'yellow')} the daemon is version {render.inert(other)}, this command"
            f" {VERSION}; run `kairos stop` and `kairos start`",
        )


def text_of(status: StatusOut) -> str:
    """The status, as text for a person."""
    daemon = (
        f"{render.paint('running', 'green')} (pid {status.daemon.pid})"
        if status.daemon.running
        else render.paint("not running", "yellow")
    )
    rows: list[list[render.Cell]] = [
        [render.Styled(r.state, STATE_STYLES.get(r.state, "")), r.path, _directories(r)] for r in status.repos
    ]
    until = f" until {at_hand(status.paused_until)}" if status.paused_until else ""
    parts = [f"daemon {daemon}" + (render.paint(f"  paused{until}", "red") if status.paused else "")]
    parts.append(render.table(rows) if rows else "  no repository is watched")
    told = [*(r.why for r in status.repos if r.why), *(_paused(r) for r in status.repos if r.paused), *unheard(status)]
    parts += [render.folded(f"  {render.paint('→', 'yellow')} {render.inert(text)}", hang="    ") for text in told]
    if status.policy_error:
        parts.append(f"  {render.paint('✗', 'red')} {render.inert(status.policy_error, lines=True)}")
        parts.append("    Nothing is carried out until policy.toml is corrected: `kairos policy ls`.")
    parts.append(
        f"log {count(status.log.events, 'event')}, {size(status.log.bytes)}   ·   "
        f"inbox {status.inbox.pending} pending, {status.inbox.deferred} deferred   ·   "
        f"today {count(status.today.turns, 'turn')}, {count(status.today.model_calls, 'model call')}, "
        f"${status.today.spent_usd:.2f}{_reserved(status.today)}, {budget(status.today, len(status.repos))}"
    )
    parts = [render.folded(parts[0]), *parts[1:-1], render.folded(parts[-1])]
    return "\n".join([*parts, f"Next: {render.paint(status.next, 'bold')}"])


def budget(today: TodayOut, repos: int) -> str:
    """How many findings were told today, and of how many in so many repositories; what is left waits in the inbox."""
    left = f", {today.untold} more in the inbox" if today.untold and today.told >= today.per_day else ""
    if repos <= 1 and today.told <= today.per_day:
        return f"{today.told} told, at most {today.per_day} a day{left}"
    return f"{today.told} told, at most {today.per_day} a day of one repository, {today.per_day_total} of all{left}"


def _reserved(today: TodayOut) -> str:
    """The part of what today cost that is only reserved so far."""
    return f" (${today.reserved_usd:.2f} of it reserved)" if today.reserved_usd >= 0.005 else ""


def _paused(repo: RepoOut) -> str:
    until = at_hand(repo.paused_until) if repo.paused_until else "`kairos resume`"
    return f"{repo.path} is paused until {until}"


def _directories(repo: RepoOut) -> str:
    if repo.state == "stopped":
        return f"{render.inert(repo.held_by)} has it" if repo.held_by else ""
    polled = f", {number(repo.polled)} polled" if repo.polled else ""
    return f"{count(repo.directories, 'directory', 'directories')}, {count(repo.watched, 'watch', 'watches')}{polled}"


def overview(context: Context) -> None:
    """Prints the output of `kairos` without a verb."""
    status = answer(context)
    render.emit(context, "status", status, text_of(status))


@click.command()
@click.option("--short", is_flag=True, help="One line, for a prompt or a status bar.")
@pass_context
def status(context: Context, short: bool) -> None:
    """What is watched, what is pending, and what today cost."""
    found = answer(context)
    render.emit(context, "status", found, one_line(found) if short else text_of(found))
