"""`kairos inbox` and `kairos show`: the proposals that wait for a decision, and one proposal in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import click

from cli import render
from cli.context import Context, pass_context
from cli.look.card import card_text
from kairos.clock import now_us
from kairos.desk.cards import card, row_of, why_now
from kairos.desk.desk import Desk
from kairos.desk.reading import in_order, names, proposal_of, repositories, waiting
from kairos.desk.reading import inbox as read_inbox
from kairos.desk.records.proposals import CardOut, ProposalOut
from kairos.desk.records.repositories import InboxMoreOut, TodayOut
from kairos.desk.status import status as status_of
from kairos.desk.status import unheard
from kairos.desk.units import age, count
from kairos.desk.when import deferred_to
from kairos.domain.proposal import Proposal
from kairos.errors import NothingPending, UsageError

_NAMED = 3
RISK_STYLES = {"urgent": "red", "high": "red", "medium": "yellow", "low": "green"}


_LAST: dict[str, tuple[str, Callable[[Desk, Proposal], str]]] = {
    "why": ("WHY NOW", why_now),
    "state": ("STATE", lambda _, p: p.state),
    "parked": ("WAITS FOR", lambda _, p: p.parked),
    "deferred": ("UNTIL", lambda _, p: _until(p)),
}  # fmt: skip
"""The last column, by what is listed: its title, and what stands there."""


class Listed(NamedTuple):
    """The answer of `inbox`: the proposals shown, what stands beside them, both as text, and how many wait."""

    shown: list[ProposalOut]
    more: InboxMoreOut
    text: str
    pending: int


def listed(
    context: Context, *, everything: bool = False, parked: bool = False, deferred: bool = False
) -> Listed:  # fmt: skip
    """The inbox; decided proposals too if `everything`, or only those that are `parked`, or `deferred`."""
    desk, only = context.desk, context.only()
    known, roots, pending = read_inbox(desk), repositories(desk), waiting(desk, only)
    shown = pending
    if everything:
        shown = in_order([p for p in known.proposals.values() if only is None or p.raised.repo == only.id])
    if parked or deferred:
        wanted = "parked" if parked else "deferred"
        shown = in_order([p for p in known.live() if p.state == wanted and only in (None, roots.by_id[p.raised.repo])])
    state = status_of(desk, only)
    more = InboxMoreOut(
        deferred=state.inbox.deferred, parked=state.inbox.parked, parked_for=state.parked_for, muted=state.muted,
        watched=len(state.repos), running=state.daemon.running, next=state.next,
        unwatched=state.unwatched, model=state.model, by_rule=state.by_rule,
    )  # fmt: skip
    last = "state" if everything else "parked" if parked else "deferred" if deferred else "why"
    rows = _rows(desk, shown, names(roots), {p.id: known.letters(p.id) for p in shown}, last)
    nothing = f"Nothing is {last}." if parked or deferred else "Nothing waits for a decision."
    mine = [p for p in known.live() if only in (None, roots.by_id[p.raised.repo])]
    later = [p for p in mine if p.state == "deferred"]
    waits = [f"{known.letters(p.id)} is deferred until {_until(p)}" for p in later[:_NAMED]]
    if not parked:
        waits += [f"{known.letters(p.id)} is parked" for p in mine if p.state == "parked"][:_NAMED]
    foot = _foot(more, len(pending), state.today, waits if not everything and not deferred else [])
    text = "\n".join([render.table(rows) if shown else f"  {nothing}", *foot])
    return Listed([row_of(p, roots) for p in shown], more, text, len(pending))


def _until(p: Proposal) -> str:
    return deferred_to(p.deferred_until, on_evidence=p.deferred_on_evidence)


def _foot(more: InboxMoreOut, pending: int, today: TodayOut, waits: Sequence[str]) -> list[str]:
    lines = [f"  {render.inert(text)}" for text in (*waits, *unheard(more))]
    if not more.watched:
        lines.append("  No repository is watched yet.")
    elif not more.running:
        lines.append("  The daemon is not running: nothing new is noticed until `kairos start`.")
    count_ = f"  {pending} pending · {more.deferred} deferred · {count(today.model_calls, 'model call')} today."
    return [*map(render.folded, lines), render.folded(f"{count_}   Next: {render.paint(more.next, 'bold')}")]


def _rows(
    desk: Desk, shown: list[Proposal], called: dict[str, str], letters: dict[str, str], last: str
) -> list[list[render.Cell]]:  # fmt: skip
    now = now_us()
    rows: list[list[render.Cell]] = [["ID", "RISK", "AGE", "REPO", "WHAT", _LAST[last][0]]]
    for p in shown:
        rows.append(
            [
                render.Styled(letters[p.id], "bold"),
                render.Styled(f"note, {p.raised.risk}" if p.is_note else p.raised.risk, RISK_STYLES[p.raised.risk]),
                age(now - p.raised_at),
                called.get(p.raised.repo, p.raised.repo),
                p.raised.title,
                _LAST[last][1](desk, p),
            ]
        )
    return rows


@click.command()
@click.option("--exit-code", is_flag=True, help="Exit 3 when nothing waits for a decision.")
@click.option("--all", "everything", is_flag=True, help="Include decided proposals.")
@click.option("--parked", is_flag=True, help="Only what is parked: its basis is not in the tree now.")
@click.option("--deferred", is_flag=True, help="Only what you deferred, and until when.")
@pass_context
def inbox(context: Context, exit_code: bool, everything: bool, parked: bool, deferred: bool) -> None:
    """Proposals that wait for a decision."""
    if everything + parked + deferred > 1:
        raise UsageError("--all includes what is parked or deferred", "Give one of --all, --parked and --deferred.")
    found = context.desk.at_one_moment(lambda: listed(context, everything=everything, parked=parked, deferred=deferred))
    render.emit(context, "inbox", found.shown, found.text, more=found.more)
    if exit_code and not found.pending:
        raise NothingPending("nothing waits for a decision", "`kairos why-not` says what was held.")


def shown_card(context: Context, find: Callable[[], Proposal], *, body: str = "full") -> tuple[CardOut, str]:
    """The card of a proposal that `find` picks, as data and as text, both from one state of the log."""

    def read() -> tuple[CardOut, str]:
        proposal = find()
        data = card(context.desk, proposal)
        return data, card_text(context, proposal, data, body=body)

    return context.desk.at_one_moment(read)


def _only_one(context: Context) -> Proposal:
    """The proposal that waits. UsageError if none or several do."""
    found = waiting(context.desk, context.only())
    if len(found) == 1:
        return found[0]
    known = read_inbox(context.desk)
    named = ", ".join(known.letters(p.id) for p in found[:_NAMED]) + (", …" if len(found) > _NAMED else "")
    raise UsageError(
        f"`show` needs an ID: {count(len(found), 'proposal')} wait{'s' if len(found) == 1 else ''}"
        + (f" ({named})" if found else ""),
        f"For example: kairos show {known.letters(found[0].id) if found else 'qzvt'}\nSee `kairos show --help`.",
    )


@click.command()
@click.argument("id_", metavar="[ID]", required=False)
@pass_context
def show(context: Context, id_: str | None) -> None:
    """One proposal: claim, evidence, effects, the exact action, and what was not checked. Without ID the one that
    waits, if only one does."""
    data, text = shown_card(
        context, lambda: proposal_of(context.desk, id_, context.only()) if id_ is not None else _only_one(context)
    )
    render.emit(context, "show", data, text, page=True)
