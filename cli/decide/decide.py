"""`approve`, `reject`, `defer`: the confirmation by a person and the answer for scripts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from cli import render
from cli.context import Context, pass_context
from cli.look.inbox import shown_card
from kairos.desk import deciding
from kairos.desk.cards import held_by
from kairos.desk.reading import letters
from kairos.desk.records.proposals import DecidedOut
from kairos.desk.units import number
from kairos.desk.when import UNTIL
from kairos.domain.proposal import Proposal
from kairos.errors import UsageError

LETTERS = 4
"""How many letters of the id a person must type to approve high risk."""

_SOON_S = 5.0
"""How long a person's `approve` waits for the daemon, so that it says what was done and not only what was decided."""
_SIGNS = {"executed": "✓", "acknowledged": "✓", "redone": "✓", "failed": "✗", "unknown": "?"}


def confirmed(context: Context, proposal: Proposal) -> bool:
    """Shows the card and asks. For high risk the person must type the first letters of the id."""
    if not context.interactive():
        raise UsageError(
            f"{proposal.id} was not shown, and there is no terminal to ask on",
            f"Read `kairos show {proposal.id}`, then add `--digest {proposal.raised.digest}` (or --yes).",
        )
    render.message(context, shown_card(context, lambda: proposal)[1])
    if proposal.raised.risk in ("high", "urgent"):
        wanted = proposal.id[:LETTERS]
        typed = render.answer(context, f"{risk_words(proposal)}: type {wanted} to approve: ")
        return typed.strip() == wanted
    return render.ask(context, "Approve exactly this?", flag="--digest or --yes")


def risk_words(proposal: Proposal) -> str:
    """`high risk`; of a note, which does nothing, `high severity`."""
    return f"{proposal.raised.risk} {'severity' if proposal.is_note else 'risk'}"


def _each(
    context: Context,
    verb: str,
    ids: Sequence[str],
    decide: Callable[[Proposal], DecidedOut | None],
    *,
    wait_s: float | None = None,
) -> None:
    """Decides proposals one after another; stops at the first that cannot be decided and still reports the decisions
    made."""
    results, failure = deciding.each(context.desk, ids, decide, only=context.only(), wait_s=wait_s)
    text = "\n".join(
        f"{_SIGNS.get(r.state, '·')} {letters(context.desk, r.id)} {r.state}"
        + (f" (ev {number(r.positions[-1])})" if r.positions else "")
        + _never(context, r)
        for r in results
    )
    if results:
        render.emit(context, verb, results[0] if len(results) == 1 else results, text)
    for one in results:
        if one.state == "approved" and (held := held_by(context.desk, one.id)):
            render.message(context, f"{render.paint('warning:', 'yellow')} {render.inert(held, lines=True)}")
    if failure is not None:
        raise failure


def _never(context: Context, done: DecidedOut) -> str:
    if done.never is None:
        return ""
    return (
        f"\n  never raised again: {render.inert(done.never)}"
        f"\n  Take it back: {render.paint(f'kairos undo {letters(context.desk, done.id)}', 'bold')}"
    )


@click.command()
@click.argument("ids", metavar="ID…", nargs=-1, required=True)
@click.option("--digest", metavar="D", help="The digest of the card that was read, instead of showing it again.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Fail if it is not carried out within S seconds.",
)
@click.option("--yes", is_flag=True, help="Approve the present state without showing it.")
@pass_context
def approve(context: Context, ids: Sequence[str], digest: str | None, wait_s: float | None, yes: bool) -> None:
    """Say yes to exactly what was shown. Repeating it is harmless."""
    if digest is not None and len(ids) > 1:
        raise UsageError("--digest names one proposal, and several ids were given", "Approve them one by one.")

    def decide(proposal: Proposal) -> DecidedOut | None:
        if digest is None and not yes and not confirmed(context, proposal):
            render.message(context, f"{proposal.id} stays undecided")
            return None
        wanted = proposal.raised.digest if digest is None else digest
        soon = _SOON_S if wait_s is None and not context.json else wait_s
        return deciding.approve(context.desk, proposal, wanted, wait_s=soon)

    _each(context, "approve", ids, decide, wait_s=wait_s)


@click.command()
@click.argument("ids", metavar="ID…", nargs=-1, required=True)
@click.option("-m", "text", metavar="TEXT", required=True, help="The reason, in your words.")
@click.option(
    "--reason",
    type=click.Choice(["wrong", "not_now", "style", "too_risky", "duplicate", "other"]),
    default="other",
    help="The kind of reason.",
)
@click.option("--never", is_flag=True, help="Never propose this here again.")
@pass_context
def reject(context: Context, ids: Sequence[str], text: str, reason: str, never: bool) -> None:
    """Say no, with a reason. It is not raised again unless its evidence changes."""
    _each(context, "reject", ids, lambda p: deciding.reject(context.desk, p.id, reason, text, never=never))


@click.command()
@click.argument("ids", metavar="ID…", nargs=-1, required=True)
@click.option("--until", "when", metavar="WHEN", required=True, help=f"{UNTIL}.")
@pass_context
def defer(context: Context, ids: Sequence[str], when: str) -> None:
    """Decide later: it comes back by itself."""
    deciding.check_later(when)
    _each(context, "defer", ids, lambda p: deciding.later(context.desk, p.id, when))
