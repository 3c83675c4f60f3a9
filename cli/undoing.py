"""`kairos undo` and `kairos redo`: say what would happen, ask, do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli import render
from cli.context import Context, pass_context
from cli.holding import acting_in
from cli.outputs import UndoneOut
from cli.reading import inbox, letters
from kairos.clock import now_us
from kairos.domain.names import as_text
from kairos.errors import KairosError, NotFound, OutcomeUnknown, UsageError

if TYPE_CHECKING:
    from kairos.acting.undo import Plan
    from kairos.domain.proposal import Proposal
    from kairos.eventlog.views import Inbox


def described(plan: Plan) -> str:
    """The plan in one sentence."""
    verb = "Undo" if plan.run == "undo" else "Redo"
    kept = f"; your later edits in {', '.join(plan.kept)} are kept" if plan.kept else ""
    since = f"{'executed' if plan.run == 'undo' else 'undone'} {render.age(now_us() - plan.done_at)} ago"
    size = f"{render.count(plan.files, 'file')}, {render.count(plan.hunks, 'hunk')}"
    return render.inert(f"{verb} {plan.id} “{plan.title}” ({since}): {size}{kept}.")


def take(context: Context, run: str, id_: str | None, *, yes: bool) -> UndoneOut | None:
    """Plans, asks unless `yes`, and does it. None when the person said no. Stale (5) shows the conflict."""
    if not context.has_log:
        raise NotFound(f"there is nothing to {run}", "`kairos inbox` lists what is pending.")
    known = inbox(context)
    cut_short = [p for p in known.live() if p.state == "executing"]
    subject = known.find(id_) if id_ is not None else cut_short[0] if cut_short else _target(known, run)
    with acting_in(context, subject.raised.repo):
        return _taken(context, run, id_, subject.raised.repo, yes=yes)


def _target(known: Inbox, run: str) -> Proposal:
    from kairos.acting import undo as undoing

    return undoing.undo_target(known) if run == "undo" else undoing.redo_target(known)


def _taken(context: Context, run: str, id_: str | None, repo: str, *, yes: bool) -> UndoneOut | None:
    from kairos.acting import undo as undoing
    from kairos.acting.recovery import recover

    # A run that a crash cut short is settled first. Where that completes what is asked for, it is done: another try
    # after a crash must not take back an older action as well.
    wanted = "undone" if run == "undo" else "redone"
    shared = context.log.shared
    open_ = recover(context.log, context.home, is_mine=lambda other: not shared or other == repo)
    settled = [p for p in open_ if p.state == wanted]
    known = inbox(context)
    for done in settled:
        if id_ is None or known.find(id_).id == done.id:
            last = known.positions[done.id][-1:]
            return UndoneOut(id=done.id, state=done.state, positions=last, files=done.raised.effects.files, kept=[])
    proposal = known.find(id_) if id_ is not None else _target(known, run)
    if not yes and not context.interactive():
        raise UsageError(f"{run} of {proposal.id} needs an answer, and nobody can be asked here", "Use --yes.")
    plan = (undoing.plan_undo if run == "undo" else undoing.plan_redo)(context.log, context.home, proposal.id)
    if not yes and not render.ask(context, f"{described(plan)}  Proceed?", flag="--yes"):
        return None
    before = len(known.positions[proposal.id])
    done = (undoing.undo if run == "undo" else undoing.redo)(context.log, context.home, proposal.id)
    out = UndoneOut(
        id=done.id, state=done.state, positions=inbox(context).positions[done.id][before:],
        files=[*map(as_text, plan.paths)], kept=[*map(as_text, plan.kept)],
    )  # fmt: skip
    if done.state == "unknown":
        raise OutcomeUnknown(
            f"nobody can tell how {run} of {done.id} ended", f"`kairos show {done.id}` names its files."
        )
    if done.state != wanted:
        raise KairosError(f"{run} of {done.id} failed and changed nothing: {done.why}", f"`kairos show {done.id}`.")
    return out


def _command(context: Context, run: str, id_: str | None, yes: bool) -> None:
    done = take(context, run, id_, yes=yes)
    if done is None:
        render.message(context, "nothing was changed")
        return
    back = "Redo: kairos redo" if run == "undo" else "Undo: kairos undo"
    kept = f"; kept your later edits in {render.inert(', '.join(done.kept))}" if done.kept else ""
    position = f" (ev {render.number(done.positions[-1])})" if done.positions else ""
    said = f"{render.paint('✓', 'green')} {letters(context, done.id)} {done.state}{position}{kept}.  {back}"
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
