"""`kairos cost`: what models cost."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import costing
from kairos.desk.records.system import SpentOut
from kairos.desk.units import number


@click.command()
@click.option("--since", metavar="T", help=f"Since a time, or the last 12h, 7d. Default: {costing.DEFAULT_DAYS}.")
@pass_context
def cost(context: Context, since: str | None) -> None:
    """What models cost, by day, repository, kind of turn and model; from the ledger in the log."""
    found = costing.cost(context.desk, since, context.only())
    rows: list[list[render.Cell]] = [["", "CALLS", "TOKENS IN", "OUT", "COST"]]
    parts = (("by day", found.by_day), ("by repository", found.by_repo), ("by turn", found.by_kind))
    for title, group in (*parts, ("by model", found.by_model)):
        rows += _rows(title, group)
    rows.append(_row("total", found.total))
    empty = render.folded(f"  No model was called since {found.since}: $0.00.")
    text = render.table(rows, right=(1, 2, 3, 4)) if found.total.model_calls else empty
    if found.total.reserved:
        said = f"  {number(found.total.reserved)} of these calls are not settled and count with their worst case."
        text += f"\n{render.folded(said)}"
    render.emit(context, "cost", found, text, page=True)


def _rows(title: str, group: Sequence[SpentOut]) -> list[list[render.Cell]]:
    return [[render.Styled(title, "bold"), "", "", "", ""], *(_row(f"  {one.name}", one) for one in group)]


def _row(name: str, one: SpentOut) -> list[render.Cell]:
    return [name, number(one.model_calls), number(one.input_tokens), number(one.output_tokens), f"${one.usd:.4f}"]
