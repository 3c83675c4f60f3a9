"""`kairos why` and `kairos why-not`: every proposal and every hold, traced back through the log."""

from __future__ import annotations

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import explaining
from kairos.desk.reading import names, repositories
from kairos.desk.records.proposals import StepOut
from kairos.desk.units import number


def steps_text(steps: list[StepOut]) -> str:
    """A causal chain, as text for a person."""
    rows: list[list[render.Cell]] = [[number(s.position), s.type, s.summary] for s in steps]
    return render.table(rows, right=(0,))


@click.command()
@click.argument("what", metavar="ID|POSITION|COMMIT")
@pass_context
def why(context: Context, what: str) -> None:
    """The causal chain of a proposal, an event or a commit, root first."""
    steps = explaining.why(context.desk, what, context.only())
    render.emit(context, "why", steps, steps_text(steps), page=True)


@click.command("why-not")
@click.option("--since", metavar="T", help="Since a time, or the last 30m, 2h, 7d. Default: 1d.")
@pass_context
def why_not(context: Context, since: str | None) -> None:
    """What was held or suppressed, and by which rule."""
    desk = context.desk
    held, called = desk.at_one_moment(
        lambda: (explaining.why_not(desk, since, context.only()), names(repositories(desk)))
    )
    rows: list[list[render.Cell]] = [
        [
            number(h.position),
            h.at[:19],
            called.get(h.repo, h.repo),
            h.subject,
            h.why,
            h.rule,
            f"until {h.until[:16]}" if h.until else "",
        ]
        for h in held
    ]
    text = render.table(rows, right=(0,)) if rows else "  Nothing was held or suppressed."
    render.emit(context, "why-not", held, text, page=True)
