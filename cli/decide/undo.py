"""`kairos undo` and `kairos redo`: show the plan, ask, carry it out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli import render
from cli.context import Context, pass_context
from kairos.clock import now_us
from kairos.desk.deciding import refuse_if_bad
from kairos.desk.reading import letters, repositories
from kairos.desk.records.proposals import DecidedOut, UndoneOut
from kairos.desk.stacking import around
from kairos.desk.undoing import WAIT_S, TakingBack, take_back
from kairos.desk.units import age, count, number
from kairos.domain.taking_back import NOUNS
from kairos.errors import UsageError

_MOST_NAMED = 3
SUCCESS = ("executed", "redone")


def described(plan: TakingBack) -> str:
    """A plan in one sentence, which names the repository and the files."""
    verb = {"undo": "Undo" if plan.writes else "Take back", "redo": "Redo"}[plan.run]
    noun = "" if plan.writes else f" the {NOUNS.get(plan.what, plan.what)}"
    where = f" in {plan.repo}" if plan.repo else " everywhere"
    ago = f"{age(now_us() - plan.at)} ago"
    if not plan.id:
        of = f" of {plan.title}" if plan.title else ""
        subject = plan.title or "Kairos"
        reach = plan.repo or "all repositories"
        return render.inert(f"{verb}{noun}{of}{where}: {subject} is {plan.after} in {reach} then.")
    if not plan.writes:
        files = f": {named(plan.files)}" if plan.files else ""
        return render.inert(f"{verb}{noun} of {plan.id} “{plan.title}”{where} ({ago}){files}; no file changes.")
    did = "undone" if plan.run == "redo" and not plan.gone else "executed"
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
    back = ("Redo: kairos redo" if run == "undo" else "Undo: kairos undo") + ("" if done.repo else " --all")
    short = letters(context.desk, done.id) if done.id else ""
    again = run == "redo" and done.what == "approve" and done.state == "executed"
    if done.state in ("undone", "redone") or again:
        files = f": {named(done.files)}" if done.files else ""
        kept = f"; kept your later edits in {named(done.kept)}" if done.kept else ""
        said = f"{short} {'applied again' if run == 'redo' else done.state}{where}{position}{files}{kept}"
    else:
        begin = "took back" if run == "undo" else "redid"
        of = f" of {short} “{done.title}”" if done.id else f" of {done.title}" if done.title else ""
        why = f", {done.why}" if done.why else ""
        said = f"{begin} the {NOUNS.get(done.what, done.what)}{of}{where}: {done.state}{why}{position}"
    failed = run == "redo" and done.what == "approve" and done.state not in (*SUCCESS, "acknowledged")
    sign = render.paint("!", "yellow") if failed else render.paint("✓", "green")
    return f"{sign} {render.inert(said)}.  {back}"


def _agreed(context: Context, plan: TakingBack, *, yes: bool, placed: bool, everything: bool) -> bool:
    """Asks; with --yes only where it is certain which repository is meant, or that all are (`everything`, or it was
    decided last of all)."""
    if yes:
        if not plan.repo and not everything and not placed:
            raise UsageError(
                f"it concerns all repositories: {described(plan)}",
                f"If that is meant: `kairos {plan.run} --all --yes`, or `kairos {plan.run} {plan.position} --yes`.",
            )
        if not placed and len(repositories(context.desk).watched()) > 1:
            raise UsageError(
                f"there is no repository here, and several are watched; the last decision: {described(plan)}",
                f"Name it: --repo PATH, or `kairos {plan.run} {plan.id or plan.position} --yes`.",
            )
        return True
    if not context.interactive():
        raise UsageError(
            f"`{plan.run}` needs a yes, and there is no terminal to ask on",
            f"With --yes it does this: {described(plan)}",
        )
    return render.ask(context, f"{described(plan)}  Proceed?", flag="--yes")


def _command(context: Context, run: str, id_: str | None, yes: bool, everything: bool) -> None:
    if everything and (id_ is not None or context.repo is not None):
        raise UsageError("--all means the last decision of all, and another one is named", "Leave one of them out.")
    scope = None if everything else context.only() if id_ is not None else standing(context)
    named = id_ is not None or everything

    def agreed(plan: TakingBack) -> bool:
        return _agreed(context, plan, yes=yes, placed=named or scope is not None, everything=named)

    done = take_back(context.desk, run, id_, agreed, scope=scope)
    if done is None:
        render.message(context, "nothing was changed")
        return
    render.emit(context, run, done, receipt(context, run, done))
    if run == "redo" and done.what == "approve" and done.id:
        refuse_if_bad(context.desk, DecidedOut(id=done.id, state=done.state, positions=done.positions), waited_s=WAIT_S)


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
@click.option("--all", "everything", is_flag=True, help="The last decision of all, also one about all repositories.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def undo(context: Context, id_: str | None, everything: bool, yes: bool) -> None:
    """Take back the last decision in this repository (or the last on ID): an execution, approval, rejection, deferral,
    acknowledgement, mute or pause. Files get exactly the reverse, later edits are kept; a conflict writes nothing."""
    _command(context, "undo", id_, yes, everything)


@click.command()
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="The last decision of all, also one about all repositories.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def redo(context: Context, id_: str | None, everything: bool, yes: bool) -> None:
    """Make the decision again that was taken back last in this repository (or on ID)."""
    _command(context, "redo", id_, yes, everything)
