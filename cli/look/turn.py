"""`kairos turn`: the turns of models, and of detectors, with what they cost and how they ended."""

from __future__ import annotations

import click

from cli import render
from cli.context import Context, pass_context
from cli.given import at_most
from kairos.clock import local_zone, now_us, parse_time
from kairos.desk import turning
from kairos.desk.boundaries import in_words
from kairos.desk.records.turns import CallOut, TurnOut
from kairos.desk.units import count, number
from kairos.desk.when import spoken

SHOWN = 20
"""How many turns are shown, unless more are asked for."""


@click.group()
def turn() -> None:
    """What a model looked at, what that cost, and how it ended."""


@turn.command("ls")
@click.option("--all", "rules", is_flag=True, help="The turns of detectors, too.")
@click.option("--since", metavar="T", help=f"Since a time, or the last 12h, 7d. Default: {turning.DEFAULT_SINCE}.")
@at_most("newest", SHOWN)
@pass_context
def ls(context: Context, rules: bool, since: str | None, limit: int | None) -> None:
    """The turns of models, the newest first."""
    found = turning.turns(context.desk, since, context.only(), rules=rules)
    shown = found[: limit if limit is not None or context.json else SHOWN]
    rows: list[list[render.Cell]] = [["TURN", "WHEN", "REPOSITORY", "BECAUSE", "OUTCOME", "CALLS", "COST"]]
    rows += [_row(one) for one in shown]
    text = render.table(rows, right=(5, 6)) if shown else render.folded("  No turn of a model began in that time.")
    if len(found) > len(shown):
        text += f"\n  {count(len(found) - len(shown), 'more', 'more')}: kairos turn ls -n {len(found)}"
    render.emit(context, "turn-ls", shown, text, page=True)


@turn.command("show")
@click.argument("turn_id", metavar="TURN")
@pass_context
def show(context: Context, turn_id: str) -> None:
    """One turn with its calls. TURN is its id, or the number at the end of it."""
    found = turning.turn(context.desk, turn_id)
    one = found.turn
    took = f", {one.seconds:.1f} s" if one.seconds is not None else ""
    lines = [
        f"{render.paint(one.turn, 'bold')} · {render.inert(one.repo or one.repo_id)} · {_when(one.at)}"
        f" · {in_words(one.boundary)}",
        f"  {_outcome(one)}{f': {render.inert(one.why)}' if one.why else ''}{took}",
    ]
    lines += [f"  proposed: kairos show {render.inert(id_)}" for id_ in one.proposals]
    if found.calls:
        rows: list[list[render.Cell]] = [["CALL", "TRY", "MODEL", "OUTCOME", "TOKENS IN", "STORED", "OUT", "COST"]]
        rows += [_call(c) for c in found.calls]
        lines += ["", render.table(rows, right=(0, 1, 4, 5, 6, 7))]
        said = ((c.call, text) for c in found.calls for text in (c.why, c.anomaly) if text)
        lines += [f"  call {call}: {render.inert(text)}" for call, text in said]
    if found.tools:
        uses: list[list[render.Cell]] = [["CALL", "TOOL", "OUTCOME", "TOOK", "WHAT"]]
        uses += [[number(u.call), u.tool, u.outcome, f"{u.seconds:.1f} s", u.what] for u in found.tools]
        lines += ["", render.table(uses, right=(0, 3))]
    lines.append(f"Next: {render.paint(f'kairos why {found.cause or one.position}', 'bold')}")
    render.emit(context, "turn-show", found, "\n".join(lines), page=True)


def _row(one: TurnOut) -> list[render.Cell]:
    because = in_words(one.boundary) if one.boundary else ""
    return [
        one.turn, _when(one.at), one.repo or one.repo_id, because, _outcome(one), number(one.model_calls), _usd(one.usd)
    ]  # fmt: skip


def _call(one: CallOut) -> list[render.Cell]:
    return [
        number(one.call), number(one.attempt), one.model, one.outcome or "reserved", number(one.input_tokens),
        number(one.cached_tokens), number(one.output_tokens), _usd(one.usd),
    ]  # fmt: skip


def _outcome(one: TurnOut) -> str:
    return one.outcome or "runs"


def _when(at: str) -> str:
    return spoken(parse_time(at), now_us(), local_zone())


def _usd(amount: float) -> str:
    return f"${amount:.4f}"
