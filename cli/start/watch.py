"""`init`, `watch`, `unwatch`: which repositories a person trusts to be watched."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path

import click

from cli import render
from cli.context import Context, pass_context
from cli.look.backtest import run, summary
from cli.look.status import budget
from cli.repos import one_path
from kairos.clock import local_zone, now_us
from kairos.desk import registering, viewing
from kairos.desk.backtesting import OFFERED, BacktestRequest
from kairos.desk.deliveries import Delivered, Manner, manner
from kairos.desk.reading import repositories
from kairos.desk.records.repositories import InitOut
from kairos.desk.registering import Told, parse_history
from kairos.desk.starting import READY
from kairos.desk.units import count
from kairos.desk.when import spoken
from kairos.errors import KairosError, NoDaemon, UsageError

FIRST_HISTORY = 5_000
"""How many commits of history `watch` learns from, when it meets a repository for the first time."""


def register(context: Context, path: str, *, yes: bool, history: str | None, first: int | None = None) -> InitOut:
    """Trusts and registers the repository that holds `path`, once. UsageError (2), Denied (6)."""

    def trusts(root: Path) -> None:
        if not yes:
            _ask_trust(context, root)

    def warn(text: str) -> None:
        render.message(context, f"{render.paint('warning:', 'yellow')} {render.inert(text)}")

    told = Told(trusts, lambda root: render.progress(context, f"reading {root}"), warn)
    return registering.register(context.desk, path, history=parse_history(history), first=first, told=told)


def _ask_trust(context: Context, root: Path) -> None:
    question = (
        f"{render.inert(str(root))}\nKairos will read this repository, its git history included, and keep what it"
        f" sees in {render.inert(str(context.desk.home.data))}. Nothing is changed without your yes, and nothing leaves"
        " this machine unless you configure a model.\nTrust and watch it?"
    )
    if not context.interactive():
        raise UsageError(f"{root} is not trusted yet, and there is no terminal to ask on", "Add --yes.")
    if not render.ask(context, question, flag="--yes"):
        raise UsageError(f"{root} was not trusted: nothing was recorded", "Run the command again to trust it.")


def init_text(done: InitOut) -> str:
    """The result of init, as text for a person."""
    history = f", {count(done.commits, 'commit')} of history" if done.commits else ""
    missing = [f"  Left out, and not fetched: {render.inert(text)}." for text in done.left_out]
    if not done.new:
        return "\n".join([f"{render.inert(done.path)} is watched already{history}", *missing])
    entries = count(done.entries, "entry", "entries")
    lines = [f"{render.paint('✓', 'green')} {render.inert(done.path)}: {entries}{history}", *missing]
    found = f"with {count(len(done.findings), 'finding')}, never raised:"
    lines.append(
        f"  Taken as given: what is there now, {found if done.findings else 'and no detector finds anything in it.'}"
    )
    if not done.commits:
        lines.append("  No history was read; `kairos init --history all` learns from it what changes together.")
    if done.findings:
        lines += [f"    {render.inert(text)}" for text in done.findings[:20]]
        if len(done.findings) > 20:
            lines.append(f"    and {len(done.findings) - 20} more: kairos log --type FindingListed")
    return "\n".join(lines)


@click.command()
@click.argument("path", required=False)
@click.option("--yes", is_flag=True, help="Trust it without asking.")
@click.option("--history", metavar="all|N", help="Also learn from all commits, or the last N.")
@pass_context
def init(context: Context, path: str | None, yes: bool, history: str | None) -> None:
    """Trust and register the repository at PATH. Repeating it is harmless."""
    done = register(context, one_path(context, path, known=False), yes=yes, history=history)
    following = "kairos status" if context.desk.daemon_running() else "kairos start"
    offer = f"  Before you trust it: kairos backtest {shlex.quote(done.path)} --last {OFFERED}\n" if done.new else ""
    asks = done.new and not yes and context.interactive()
    text = f"{init_text(done)}\n{'' if asks else render.inert(offer, lines=True)}Next: "
    render.emit(context, "init", done, text + render.paint(following, "bold"))
    if asks:
        _offer_backtest(context, done.path)


def _offer_backtest(context: Context, path: str) -> None:
    """Asks whether to replay the last commits, and says in one line what came of it."""
    if not render.ask(context, f"Replay its last {OFFERED} commits, to see what would have been raised?", flag="--yes"):
        return
    found = run(context, path, BacktestRequest(last=OFFERED))
    more = f"kairos backtest {render.inert(shlex.quote(path))} --last {OFFERED}"
    render.message(context, f"{summary(found)}  More: {render.paint(more, 'bold')}")


@click.command()
@click.argument("paths", metavar="[PATH…]", nargs=-1)
@click.option("--yes", is_flag=True, help="Trust them without asking.")
@click.option("--history", metavar="all|N", help="Also learn from all commits, or the last N.")
@pass_context
def watch(context: Context, paths: Sequence[str], yes: bool, history: str | None) -> int:
    """Watch in the foreground all that is registered, and the repositories at PATH (default, if none is: here).

    Of a new repository it reads the last 5 000 commits, unless --history says otherwise. Prints one line for each
    delivered proposal; Ctrl-C ends it. While a daemon runs, it shows what that one delivers;
    Ctrl-C then ends only the view."""
    from cli.run.daemon import run_here

    if context.repo is not None:
        wanted = [one_path(context, paths[0] if paths else None, known=False)]
    else:
        wanted = list(paths) or ([] if repositories(context.desk).watched() else ["."])
    for path in wanted:
        begun = time.monotonic()
        done = register(context, path, yes=yes, history=history, first=FIRST_HISTORY)
        took = f" in {time.monotonic() - begun:.1f} s" if done.new or done.commits else ""
        first, *rest = init_text(done).split("\n")
        render.message(context, "\n".join([first + took, *rest]))
    if context.desk.daemon_running():
        return _attached(context)
    if not context.json:
        render.message(context, opening(manner(context.desk)))

    def failed(error: KairosError) -> None:
        render.message(context, f"This view has ended, the daemon goes on: {render.inert(str(error))}")

    end = viewing.beside(context.desk, lambda told: announce(context, told), failed)
    try:
        return run_here(context)
    finally:
        end()


def _attached(context: Context) -> int:
    """Shows what the running daemon delivers until Ctrl-C, which ends only the view. NoDaemon (10) if it ends first."""
    view = viewing.Viewing(context.desk)
    if not context.json:
        render.message(context, opening(manner(context.desk), attached=True))
    render.exactly(READY)
    try:
        for told in view.of_daemon():
            announce(context, told)
    except KeyboardInterrupt:
        render.message(context, "This view has ended; the daemon goes on. kairos stop ends it.")
        return 0
    raise NoDaemon("the daemon has ended", "`kairos watch` starts another, `kairos daemon logs` says why.")


def opening(how: Manner, *, attached: bool = False) -> str:
    """What a watching screen says first: what is watched, when it speaks, what is left for today, and how to end it.
    `attached`: it is a view of a daemon that runs already."""
    lines = ["A daemon runs already: this shows what it delivers."] if attached else []
    lines += [f"  watches  {render.inert(root)}" for root in how.watched]
    lines.append(f"  speaks   {how.boundaries}; {how.quiet}; a staged credential at once")
    lines.append(f"  today    {budget(how.today, len(how.watched))}; {how.pending} in the inbox")
    ends = "ends this view; the daemon goes on" if attached else "ends it"
    lines.append(f"  Ctrl-C {ends}. In another terminal: {render.paint('kairos review', 'bold')}")
    return "\n".join(render.folded(line, hang=" " * 11) for line in lines)


def announce(context: Context, told: Delivered) -> None:
    """One line for what was told, or done by a rule."""
    what = render.inert(told.title)
    if told.rule:
        became = "carried out by" if told.done else "not carried out, though it was approved by"
        what += f"; {became} your rule {render.inert(told.rule)}"
    then = "undo" if told.done else "show"
    text = (
        f"{render.paint(spoken(now_us(), now_us(), local_zone()).removeprefix('today '), 'dim')}  "
        f"{render.paint(told.letters, 'bold')}  {told.risk}  {render.inert(told.where)}  "
        f"{what}   kairos {then} {told.letters}"
    )
    answer: dict[str, object] = {"id": told.id, "title": told.title, "risk": told.risk, "digest": told.digest}
    if told.rule:
        answer |= {"rule": told.rule, "done": told.done}
    if told.budget:
        answer, text = {**answer, "budget": told.budget}, f"{text}\n{render.inert(told.budget)}"
    render.line(context, answer, text)


@click.command()
@click.argument("path", required=False)
@pass_context
def unwatch(context: Context, path: str | None) -> None:
    """Stop watching the repository at PATH; its history stays in the log."""
    done = registering.unwatch(context.desk, one_path(context, path))
    render.emit(context, "unwatch", done, f"{render.inert(done.path)} is not watched any more; its history stays")
