"""`kairos inbox` and `kairos show`: what waits for a decision, and one proposal in full."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import click

from cli import render
from cli.card import card_of, card_text, row_of
from cli.context import Context, pass_context
from cli.outputs import CardOut, ProposalOut
from cli.reading import at_one_moment, ledger, names, repositories, selected, short
from cli.reading import inbox as read_inbox
from kairos.clock import local_zone, now_us
from kairos.domain.attention import local_day
from kairos.domain.proposal import Proposal
from kairos.errors import NothingPending
from kairos.eventlog.views import Inbox, Repositories

RISKS = {"urgent": 0, "high": 1, "medium": 2, "low": 3}
RISK_STYLES = {"urgent": "red", "high": "red", "medium": "yellow", "low": "green"}
WHY_NOW = {
    "commit": "you committed",
    "switch": "you switched branches",
    "burst": "files changed",
    "idle_return": "you came back",
    "manual": "you asked",
    "later": "you said later",
    "brief": "the morning brief",
}


def in_order(proposals: list[Proposal]) -> list[Proposal]:
    """The order in which people see them: risk first, then the oldest."""
    return sorted(proposals, key=lambda p: (RISKS[p.raised.risk], p.raised_at, p.id))


def why_now(proposal: Proposal) -> str:
    """The moment in words, with the event it points at."""
    words = WHY_NOW.get(proposal.raised.boundary, proposal.raised.boundary)
    cause = f"(ev {render.number(proposal.raised.evidence[0])})" if proposal.raised.evidence else ""
    return f"{words} {cause}".strip()


def waiting(context: Context) -> list[Proposal]:
    """Undecided proposals, of the selected repository if one is, in order."""
    only = selected(context)
    pending = read_inbox(context).pending()
    return in_order([p for p in pending if only is None or p.raised.repo == only.id])


class Listed(NamedTuple):
    """What `inbox` answers: the proposals shown, the same as text, and how many wait."""

    shown: list[ProposalOut]
    text: str
    pending: int


def listed(context: Context, *, everything: bool) -> Listed:
    """The inbox; decided proposals too if `everything`."""
    known, roots, only = read_inbox(context), repositories(context), selected(context)
    pending = waiting(context)
    shown = pending
    if everything:
        shown = in_order([p for p in known.proposals.values() if only is None or p.raised.repo == only.id])
    rows = _rows(shown, known, roots, everything=everything)
    deferred = sum(p.state == "deferred" for p in known.live())
    now, zone = now_us(), local_zone()
    calls = sum(local_day(at, zone) == local_day(now, zone) for at, _ in ledger(context).calls)
    foot = f"  {len(pending)} pending · {deferred} deferred · {calls} model calls today."
    foot += f"   Next: {render.paint('kairos review', 'bold')}" if pending else ""
    text = f"{render.table(rows)}\n{foot}" if shown else f"  Nothing waits for a decision.\n{foot}"
    return Listed([row_of(p, roots) for p in shown], text, len(pending))


def _rows(shown: list[Proposal], known: Inbox, roots: Repositories, *, everything: bool) -> list[list[render.Cell]]:
    called, letters, now = names(roots), short(list(known.proposals)), now_us()
    rows: list[list[render.Cell]] = [["ID", "RISK", "AGE", "REPO", "WHAT", "WHY NOW" if not everything else "STATE"]]
    for p in shown:
        rows.append(
            [
                render.Styled(letters[p.id], "bold"),
                render.Styled(p.raised.risk, RISK_STYLES[p.raised.risk]),
                render.age(now - p.raised_at),
                called.get(p.raised.repo, p.raised.repo),
                p.raised.title,
                p.state if everything else why_now(p),
            ]
        )
    return rows


@click.command()
@click.option("--exit-code", is_flag=True, help="Exit 3 when nothing waits for a decision.")
@click.option("--all", "everything", is_flag=True, help="Decided ones too.")
@pass_context
def inbox(context: Context, exit_code: bool, everything: bool) -> None:
    """Proposals that wait for a decision."""
    found = at_one_moment(context, lambda: listed(context, everything=everything))
    render.emit(context, "inbox", found.shown, found.text)
    if exit_code and not found.pending:
        raise NothingPending("nothing waits for a decision", "`kairos why-not` says what was held.")


def shown_card(context: Context, find: Callable[[Inbox], Proposal], *, body: str = "full") -> tuple[CardOut, str]:
    """The card of a proposal, as data and as text. `find` picks it from the inbox."""
    known = read_inbox(context)
    proposal = find(known)
    card = card_of(proposal, repositories(context), known.positions[proposal.id])
    return card, card_text(context, proposal, card, body=body)


@click.command()
@click.argument("id_", metavar="ID")
@pass_context
def show(context: Context, id_: str) -> None:
    """One proposal: claim, evidence, effects, the exact action, and what was not checked."""
    card, text = at_one_moment(context, lambda: shown_card(context, lambda known: known.find(id_)))
    render.emit(context, "show", card, text, page=True)
