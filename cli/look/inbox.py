"""`kairos inbox` and `kairos show`: what waits for a decision, and one proposal in full."""

from __future__ import annotations

import click

from cli import render
from cli.context import Context, pass_context
from cli.look.card import card_text
from kairos.clock import now_us
from kairos.desk.cards import card_of, row_of, why_now
from kairos.desk.reading import in_order, names, repositories
from kairos.desk.reading import inbox as read_inbox
from kairos.desk.status import calls_today
from kairos.desk.units import age
from kairos.errors import NothingPending

RISK_STYLES = {"urgent": "red", "high": "red", "medium": "yellow", "low": "green"}


@click.command()
@click.option("--exit-code", is_flag=True, help="Exit 3 when nothing waits for a decision.")
@click.option("--all", "everything", is_flag=True, help="Decided ones too.")
@pass_context
def inbox(context: Context, exit_code: bool, everything: bool) -> None:
    """Proposals that wait for a decision."""
    desk, only = context.desk, context.only()
    known, roots = read_inbox(desk), repositories(desk)
    pending = in_order([p for p in known.pending() if only is None or p.raised.repo == only.id])
    shown = pending
    if everything:
        shown = in_order([p for p in known.proposals.values() if only is None or p.raised.repo == only.id])
    called = names(roots)
    now = now_us()
    rows: list[list[render.Cell]] = [["ID", "RISK", "AGE", "REPO", "WHAT", "WHY NOW" if not everything else "STATE"]]
    for p in shown:
        rows.append(
            [
                render.Styled(known.letters(p.id), "bold"),
                render.Styled(p.raised.risk, RISK_STYLES[p.raised.risk]),
                age(now - p.raised_at),
                called.get(p.raised.repo, p.raised.repo),
                p.raised.title,
                p.state if everything else why_now(p),
            ]
        )
    deferred = [p for p in known.live() if p.state == "deferred"]
    foot = f"  {len(pending)} pending · {len(deferred)} deferred · {calls_today(desk)} model calls today."
    foot += f"   Next: {render.paint('kairos review', 'bold')}" if pending else ""
    text = f"{render.table(rows)}\n{foot}" if shown else f"  Nothing waits for a decision.\n{foot}"
    render.emit(context, "inbox", [row_of(p, roots) for p in shown], text)
    if exit_code and not pending:
        raise NothingPending("nothing waits for a decision", "`kairos why-not` says what was held.")


@click.command()
@click.argument("id_", metavar="ID")
@pass_context
def show(context: Context, id_: str) -> None:
    """One proposal: claim, evidence, effects, the exact action, and what was not checked."""
    known = read_inbox(context.desk)
    proposal = known.find(id_)
    card = card_of(proposal, repositories(context.desk), known.positions[proposal.id])
    render.emit(context, "show", card, card_text(context, proposal, card), page=True)
