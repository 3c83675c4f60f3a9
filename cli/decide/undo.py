"""`kairos undo` and `kairos redo`: show the plan, ask, carry it out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli import render
from cli.context import Context, pass_context
from kairos.clock import now_us
from kairos.desk.reading import letters, repositories
from kairos.desk.records.proposals import UndoneOut
from kairos.desk.stacking import around
from kairos.desk.undoing import TakingBack, take_back
from kairos.desk.units import age, count, number
from kairos.domain.taking_back import NOUNS
from kairos.errors import UsageError

_MOST_NAMED = 3


def described(plan: TakingBack) -> str:
    """A plan in one sentence, which names the repository and the files."""
    verb = {"undo": "Undo" if plan.writes else "Take back", "redo": "Redo"}[plan.run]
    noun = "" if plan.writes else f" the {NOUNS.get(plan.what, plan.what)}"
    where = f" in {plan.repo}" if plan.repo else " everywhere"
    ago = f"{age(now_us() - plan.at)} ago"
    if not plan.id:
        of = f" of {plan.title}" if plan.title else ""
        return render.inert(f"{verb}{noun}{of}{where}.")
    if not plan.writes:
        files = f": {named(plan.files)}" if plan.files else ""
        return render.inert(f"{verb}{noun} of {plan.id} “{plan.title}”{where} ({ago}){files}; no file changes.")
    did = "executed" if plan.run == "undo" else "undone"
    size = f"{count(len(plan.files), 'file')}, {count(plan.hunks, 'hunk')}"
    kept = f"; your later edits in {', '.join(plan.kept)} are kept" if plan.kept else ""
    return render.inert(f"{verb} {plan.id} “{plan.title}”{where} ({named(plan.files)}; {did} {ago}): {size}{kept}.")


def named(files: list[str]) -> str:
    """The first files by name, and how many more there are."""
    more = len(files) - _MOST_NAMED
    return ", ".join(files[:_MOST_NAMED]) + (f" and {count(more, 'more file')}" if more > 0 else "")


def receipt(context: Context, run: str, done: UndoneOut) -> str:
    """What was done, in one line."""
    where = f" in {Path(done.repo).name}" if done.repo else " everywhere" if not done.id else ""
    position = f" (ev {number(done.positions[-1])})" if done.positions else ""
    back = "Redo: kairos redo" if run == "undo" else "Undo: kairos undo"
    short = letters(context.desk, done.id) if done.id else ""
    if done.state in ("undone", "redone"):
        files = f": {named(done.files)}" if done.files else ""
        kept = f"; kept your later edits in {', '.join(done.kept)}" if done.kept else ""
        said = f"{short} {done.state}{where}{position}{files}{kept}"
    else:
        begin = "took back" if run == "undo" else "redid"
        of = f" of {short} “{done.title}”" if done.id else f" of {done.title}" if done.title else ""
        why = f", {done.why}" if done.why else ""
        said = f"{begin} the {NOUNS.get(done.what, done.what)}{of}{where}: {done.state}{why}{position}"
    return f"{render.paint('✓', 'green')} {render.inert(said)}.  {back}"


def _agreed(context: Context, plan: TakingBack, *, yes: bool, placed: bool) -> bool:
    """Asks; with --yes only where it is certain which repository is meant."""
    if yes:
        if not placed and len(repositories(context.desk).watched()) > 1:
            raise UsageError(
                f"there is no repository here, and several are watched; the last decision: {described(plan)}",
                f"Name it: --repo PATH, or `kairos {plan.run} {plan.id or 'POSITION'} --yes`.",
            )
        return True
    if not context.interactive():
        raise UsageError(f"{plan.run} of {plan.id} needs an answer, and there is no terminal to ask on", "Use --yes.")
    return render.ask(context, f"{described(plan)}  Proceed?", flag="--yes")


def _command(context: Context, run: str, id_: str | None, yes: bool) -> None:
    scope = context.only() if id_ is not None else standing(context)
    placed = id_ is not None or scope is not None
    done = take_back(context.desk, run, id_, lambda plan: _agreed(context, plan, yes=yes, placed=placed), scope=scope)
    if done is None:
        render.message(context, "nothing was changed")
        return
    render.emit(context, run, done, receipt(context, run, done))


def standing(context: Context) -> Any:
    """The repository of --repo, else the one that the person stands in; None outside of any."""
    only = context.only()
    if only is not None or not context.desk.has_log:
        return only
    try:
        here = Path.cwd()
    except OSError:  # the working directory was removed
        return None
    return around(context.desk, here)


@click.command()
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def undo(context: Context, id_: str | None, yes: bool) -> None:
    """Take back the last decision in this repository (or the last on ID): an execution, approval, rejection, deferral,
    acknowledgement, mute or pause. Files get exactly the reverse, later edits are kept; a conflict writes nothing."""
    _command(context, "undo", id_, yes)


@click.command()
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def redo(context: Context, id_: str | None, yes: bool) -> None:
    """Make the decision again that was taken back last in this repository (or on ID)."""
    _command(context, "redo", id_, yes)
