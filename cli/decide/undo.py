"""`kairos undo` and `kairos redo`: show the plan, ask, carry it out."""

from __future__ import annotations

from typing import Any

import click

from cli import render
from cli.context import Context, pass_context
from kairos.clock import now_us
from kairos.desk.reading import letters
from kairos.desk.undoing import take_back
from kairos.desk.units import age, count, number
from kairos.errors import UsageError


def described(plan: Any) -> str:
    """An `acting.undo.Plan` in one sentence."""
    verb = "Undo" if plan.run == "undo" else "Redo"
    kept = f"; your later edits in {', '.join(plan.kept)} are kept" if plan.kept else ""
    since = f"{'executed' if plan.run == 'undo' else 'undone'} {age(now_us() - plan.done_at)} ago"
    size = f"{count(plan.files, 'file')}, {count(plan.hunks, 'hunk')}"
    return render.inert(f"{verb} {plan.id} “{plan.title}” ({since}): {size}{kept}.")


def _agreed(context: Context, plan: Any) -> bool:
    if not context.interactive():
        raise UsageError(f"{plan.run} of {plan.id} needs an answer, and there is no terminal to ask on", "Use --yes.")
    return render.ask(context, f"{described(plan)}  Proceed?", flag="--yes")


def _command(context: Context, run: str, id_: str | None, yes: bool) -> None:
    done = take_back(context.desk, run, id_, lambda plan: yes or _agreed(context, plan))
    if done is None:
        render.message(context, "nothing was changed")
        return
    back = "Redo: kairos redo" if run == "undo" else "Undo: kairos undo"
    kept = f"; kept your later edits in {render.inert(', '.join(done.kept))}" if done.kept else ""
    position = f" (ev {number(done.positions[-1])})" if done.positions else ""
    said = f"{render.paint('✓', 'green')} {letters(context.desk, done.id)} {done.state}{position}{kept}.  {back}"
    render.emit(context, run, done, said)


@click.command()
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def undo(context: Context, id_: str | None, yes: bool) -> None:
    """Reverse exactly what the last action (or ID) did, keeping later edits; a conflict writes nothing."""
    _command(context, "undo", id_, yes)


@click.command()
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def redo(context: Context, id_: str | None, yes: bool) -> None:
    """Apply the last undone action (or ID) again."""
    _command(context, "redo", id_, yes)
