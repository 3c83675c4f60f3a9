"""`init`, `watch`, `unwatch`: which repositories a person trusts to be watched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from cli import render
from cli.context import Context, pass_context
from cli.repos import one_path
from kairos.desk import registering
from kairos.desk.deliveries import delivered
from kairos.desk.reading import repositories
from kairos.desk.records.repositories import InitOut
from kairos.desk.registering import Told, parse_history
from kairos.desk.units import count
from kairos.errors import KairosError, UsageError


def register(context: Context, path: str, *, yes: bool, history: str | None) -> InitOut:
    """Trusts and registers the repository that holds `path`, once. UsageError (2), Denied (6)."""

    def trusts(root: Path) -> None:
        if not yes:
            _ask_trust(context, root)

    def warn(text: str) -> None:
        render.message(context, f"{render.paint('warning:', 'yellow')} {render.inert(text)}")

    told = Told(trusts, lambda root: render.progress(context, f"reading {root}"), warn)
    return registering.register(context.desk, path, history=parse_history(history), told=told)


def _ask_trust(context: Context, root: Path) -> None:
    question = (
        f"{render.inert(str(root))}\nKairos will read this repository, its git history included, and keep what it"
        f" sees in {render.inert(str(context.desk.home.data))}. Nothing is changed without your yes, and nothing leaves"
        " this machine unless you configure a model.\nTrust and watch it?"
    )
    if not context.interactive():
        raise UsageError(f"{root} is not trusted yet, and nobody can be asked here", "Add --yes.")
    if not render.ask(context, question, flag="--yes"):
        raise UsageError(f"{root} was not trusted: nothing was recorded", "Run it again when you want to.")


def init_text(done: InitOut) -> str:
    """The result of init, as text for a person."""
    history = f", {count(done.commits, 'commit')} of history" if done.commits else ""
    missing = [f"  Left out, and not fetched: {render.inert(text)}." for text in done.left_out]
    if not done.new:
        return "\n".join([f"{render.inert(done.path)} is watched already{history}", *missing])
    entries = count(done.entries, "entry", "entries")
    lines = [f"{render.paint('✓', 'green')} {render.inert(done.path)}: {entries}{history}", *missing]
    if done.findings:
        lines.append("  Here before Kairos, listed once and never raised:")
        lines += [f"    {render.inert(text)}" for text in done.findings[:20]]
        if len(done.findings) > 20:
            lines.append(f"    and {len(done.findings) - 20} more: kairos log --type FindingListed")
    return "\n".join(lines)


@click.command()
@click.argument("path", required=False)
@click.option("--yes", is_flag=True, help="Trust it without asking.")
@click.option("--history", metavar="all|N", help="Also learn from all, or the last N, commits.")
@pass_context
def init(context: Context, path: str | None, yes: bool, history: str | None) -> None:
    """Trust and register the repository at PATH. Repeating it is harmless."""
    done = register(context, one_path(context, path, known=False), yes=yes, history=history)
    following = "kairos status" if context.desk.daemon_running() else "kairos start"
    render.emit(context, "init", done, f"{init_text(done)}\nNext: {render.paint(following, 'bold')}")


@click.command()
@click.argument("paths", metavar="[PATH…]", nargs=-1)
@click.option("--yes", is_flag=True, help="Trust them without asking.")
@click.option("--history", metavar="all|N", help="Also learn from all, or the last N, commits.")
@pass_context
def watch(context: Context, paths: Sequence[str], yes: bool, history: str | None) -> int:
    """Register the repositories at PATH (default: here) and watch in the foreground.

    Prints one line for each delivered proposal; Ctrl-C ends it."""
    from cli.run.daemon import run_here

    if context.repo is not None:
        wanted = [one_path(context, paths[0] if paths else None, known=False)]
    else:
        wanted = list(paths) or ([] if repositories(context.desk).watched() else ["."])
    for path in wanted:
        done = register(context, path, yes=yes, history=history)
        render.message(context, init_text(done))
    return run_here(context, on_delivery=lambda id_: announce(context, id_))


def announce(context: Context, id_: str) -> None:
    """One line for a delivered proposal. Called from a thread of the daemon, so it uses its own desk."""
    desk = context.desk.again()
    try:
        found = delivered(desk, id_)
        text = (
            f"{render.paint(found.letters, 'bold')}  {found.risk}  {render.inert(found.where)}  "
            f"{render.inert(found.title)}   kairos show {found.letters}"
        )
        render.line(context, {"id": id_, "title": found.title, "risk": found.risk, "digest": found.digest}, text)
    except KairosError as error:
        render.error(context, error)
    finally:
        desk.close()


@click.command()
@click.argument("path", required=False)
@pass_context
def unwatch(context: Context, path: str | None) -> None:
    """Stop watching the repository at PATH; its history stays in the log."""
    done = registering.unwatch(context.desk, one_path(context, path))
    render.emit(context, "unwatch", done, f"{render.inert(done.path)} is not watched any more; its history stays")
