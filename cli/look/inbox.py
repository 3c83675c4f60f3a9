"""`kairos inbox` and `kairos show`: the proposals that wait for a decision, and one proposal in full."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import click

from cli import render
from cli.context import Context, pass_context
from cli.look.card import card_text
from kairos.clock import now_us
from kairos.desk.cards import card, row_of, why_now
from kairos.desk.reading import in_order, names, proposal_of, repositories, waiting
from kairos.desk.reading import inbox as read_inbox
from kairos.desk.records.proposals import CardOut, ProposalOut
from kairos.desk.status import calls_today
from kairos.desk.units import age, count
from kairos.domain.proposal import Proposal
from kairos.errors import NothingPending

RISK_STYLES = {"urgent": "red", "high": "red", "medium": "yellow", "low": "green"}


class Listed(NamedTuple):
    """The answer of `inbox`: the proposals shown, the same as text, and how many wait."""

    shown: list[ProposalOut]
    text: str
    pending: int


def listed(context: Context, *, everything: bool) -> Listed:
    """The inbox; decided proposals too if `everything`."""
    desk, only = context.desk, context.only()
    known, roots, pending = read_inbox(desk), repositories(desk), waiting(desk, only)
    shown = pending
    if everything:
        shown = in_order([p for p in known.proposals.values() if only is None or p.raised.repo == only.id])
    deferred = sum(p.state == "deferred" for p in known.live())
    foot = f"  {len(pending)} pending · {deferred} deferred · {count(calls_today(desk), 'model call')} today."
    foot += f"   Next: {render.paint('kairos review', 'bold')}" if pending else ""
    rows = _rows(shown, names(roots), {p.id: known.letters(p.id) for p in shown}, everything=everything)
    foot = render.folded(foot)
    text = f"{render.table(rows)}\n{foot}" if shown else f"  Nothing waits for a decision.\n{foot}"
    return Listed([row_of(p, roots) for p in shown], text, len(pending))


def _rows(
    shown: list[Proposal], called: dict[str, str], letters: dict[str, str], *, everything: bool
) -> list[list[render.Cell]]:
    now = now_us()
    rows: list[list[render.Cell]] = [["ID", "RISK", "AGE", "REPO", "WHAT", "WHY NOW" if not everything else "STATE"]]
    for p in shown:
        rows.append(
            [
                render.Styled(letters[p.id], "bold"),
                render.Styled(f"note, {p.raised.risk}" if p.is_note else p.raised.risk, RISK_STYLES[p.raised.risk]),
                age(now - p.raised_at),
                called.get(p.raised.repo, p.raised.repo),
                p.raised.title,
                p.state if everything else why_now(p),
            ]
        )
    return rows


@click.command()
@click.option("--exit-code", is_flag=True, help="Exit 3 when nothing waits for a decision.")
@click.option("--all", "everything", is_flag=True, help="Include decided proposals.")
@pass_context
def inbox(context: Context, exit_code: bool, everything: bool) -> None:
    """Proposals that wait for a decision."""
    found = context.desk.at_one_moment(lambda: listed(context, everything=everything))
    render.emit(context, "inbox", found.shown, found.text)
    if exit_code and not found.pending:
        raise NothingPending("nothing waits for a decision", "`kairos why-not` says what was held.")


def shown_card(context: Context, find: Callable[[], Proposal], *, body: str = "full") -> tuple[CardOut, str]:
    """The card of a proposal that `find` picks, as data and as text, both from one state of the log."""

    def read() -> tuple[CardOut, str]:
        proposal = find()
        data = card(context.desk, proposal)
        return data, card_text(context, proposal, data, body=body)

    return context.desk.at_one_moment(read)


@click.command()
@click.argument("id_", metavar="ID")
@pass_context
def show(context: Context, id_: str) -> None:
    """One proposal: claim, evidence, effects, the exact action, and what was not checked."""
    data, text = shown_card(context, lambda: proposal_of(context.desk, id_, context.only()))
    render.emit(context, "show", data, text, page=True)
