"""`kairos backtest`: what would have been raised in a repository's history, and what people did about it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cli import render
from cli.context import Context, pass_context
from cli.repos import one_path
from kairos.desk import backtesting
from kairos.desk.backtesting import BacktestRequest
from kairos.desk.records.backtest import BacktestDetectorOut, BacktestExampleOut, BacktestOut
from kairos.desk.units import count, number

_EXAMPLES = 3
_SIGNS = {"done": ("✓", "green"), "left": ("✗", "red"), "moot": ("·", "dim"), "unknown": ("?", "dim")}


@click.command()
@click.argument("path", metavar="[REPO]", required=False)
@click.option("--since", metavar="T", help="Only commits since a time, or of the last 90d, 52w.")
@click.option("-n", "--last", type=click.IntRange(1, 10_000_000), help="Only the last N commits.")
@click.option("--detector", "detectors", multiple=True, metavar="NAME", help="Only this detector; may be repeated.")
@click.option(
    "--within", "horizon", type=click.IntRange(1, 1_000), metavar="N",
    help="Judge a finding after N later commits (30; 300 for a dead reference).",
)  # fmt: skip
@click.option("--html", metavar="FILE", help="Also write a report with plots, in one file.")
@pass_context
def backtest(
    context: Context, path: str | None, since: str | None, last: int | None, detectors: Sequence[str],
    horizon: int | None,
    html: str | None,
) -> None:  # fmt: skip
    """Replay the history of REPO as if live. Each finding is judged by what people did in the commits that followed.

    Only reads; a run that was interrupted goes on where it was."""
    asked = BacktestRequest(since=since, last=last or 0, detectors=detectors, horizon=horizon or 0)
    found = run(context, one_path(context, path, known=False), asked)
    if html is not None:
        found = backtesting.write_page(found, html)
    text = backtest_text(found)
    if found.html:
        text += f"\n{render.paint('✓', 'green')} {render.inert(found.html)}"
    render.emit(context, "backtest", found, text)


def run(context: Context, path: str, asked: BacktestRequest) -> BacktestOut:
    """A backtest under a progress bar."""
    with render.progress(context, "replaying") as progress:
        return backtesting.backtest(context.desk, path, asked, progress)


def summary(found: BacktestOut) -> str:
    """One sentence: how much would have been raised, and how much of it people did."""
    judged = [p for p in found.proposals if p.label in ("done", "left")]
    done = sum(p.label == "done" for p in judged)
    if not found.proposals:
        return f"On {count(found.commits, 'commit')} it would have raised nothing."
    told = f"On {count(found.commits, 'commit')} it would have raised {number(len(found.proposals))}"
    if not judged:
        return f"{told}; none of them can be judged yet."
    return f"{told}; you did {number(done)} of the {number(len(judged))} that can be judged."


def backtest_text(found: BacktestOut) -> str:
    """The answer as text for a person."""
    speed = f", {number(round(found.commits_per_second))} a second" if found.commits_per_second else ""
    lines = [
        f"{render.inert(found.repo)}: {count(found.commits, 'commit')} on {count(found.days, 'different day')}, "
        f"{found.first[:10]} to {found.last[:10]}{speed}",
        f"{summary(found)} Told: {number(found.delivered)}, at most {found.busiest_day} a day.",
        "",
    ]
    rows: list[list[render.Cell]] = [
        [render.Styled(t, "dim") for t in
         ("DETECTOR", "RAISED", "PER 100", "A DAY", "DID", "LEFT", "?", "PRECISION", "ANYWAY")]
    ]  # fmt: skip
    rows += [_row(one) for one in found.detectors]
    lines.append(render.table(rows, right=(1, 2, 3, 4, 5, 6)))
    for one in found.detectors:
        examples = [p for p in found.proposals if p.detector == one.detector]
        if examples:
            lines += ["", f"  {render.paint(one.detector, 'bold')}"]
            lines += [_example(p) for p in _chosen(examples)]
    lines += [
        "",
        render.folded(
            f"  DID: people changed it so within {found.horizon} commits, or as many as its detector asks for. "
            "LEFT: they did not. ?: history ends first, or what it rests on was taken back. ANYWAY: how often such "
            "files change within as many commits anyway."
        ),
    ]
    lines += [
        f"  {render.paint('warning:', 'yellow')} {name} could not finish at {count(n, 'commit')}"
        for name, n in sorted(found.failures.items())
    ]
    return "\n".join(lines)


def _row(one: BacktestDetectorOut) -> list[render.Cell]:
    precision = "–"
    if one.precision is not None and one.low is not None and one.high is not None:
        precision = f"{one.precision:.0%} ({one.low:.0%}–{one.high:.0%})"
    name = one.detector if one.state == "on" else f"{one.detector} ({one.state})"
    anyway = f"{one.base_rate:.0%}" if one.precision is not None else "–"
    return [
        name, number(one.raised), f"{one.per_100_commits:.2f}", f"{one.per_day:.2f}", number(one.done),
        number(one.left), number(one.moot + one.unknown), precision, anyway,
    ]  # fmt: skip


def _chosen(examples: Sequence[BacktestExampleOut]) -> list[BacktestExampleOut]:
    """The latest of each kind of outcome, a few."""
    newest = sorted(examples, key=lambda p: p.at, reverse=True)
    kinds = [[p for p in newest if p.label == label] for label in ("left", "done", "moot", "unknown")]
    return [p for group in kinds for p in group[:2]][: _EXAMPLES + 1]


def _example(one: BacktestExampleOut) -> str:
    sign, style = _SIGNS[one.label]
    became = {
        "done": f"done {count(one.after, 'commit')} later in {one.by[:10]}",
        "left": "left as it was", "moot": f"taken back in {one.by[:10]}", "unknown": "too early to tell",
    }[one.label]  # fmt: skip
    return render.folded(
        f"    {render.paint(sign, style)} {one.at[:10]} {one.commit[:10]}  {render.inert(one.title)}: {became}",
        hang=" " * 6,
    )
