"""`kairos why` and `kairos why-not`: every proposal and every hold, traced back through the log."""

from __future__ import annotations

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import considering, explaining
from kairos.desk.reading import proposal_of
from kairos.desk.records.proposals import CommitLookOut, HeldOut, StepOut
from kairos.desk.silence import Silence, grouped
from kairos.desk.units import count, number
from kairos.domain.proposal import Proposal
from kairos.errors import UsageError


def steps_text(steps: list[StepOut]) -> str:
    """A causal chain, as text for a person."""
    rows: list[list[render.Cell]] = [[number(s.position), s.type, s.words or s.summary] for s in steps]
    return render.table(rows, right=(0,))


@click.command()
@click.argument("what", metavar="ID|POSITION|COMMIT")
@pass_context
def why(context: Context, what: str) -> None:
    """The causal chain of a proposal, an event or a commit (its id, HEAD, a branch, a tag), root first."""
    steps = explaining.why(context.desk, what, context.only())
    render.emit(context, "why", steps, steps_text(steps), page=True)


@click.command("why-not")
@click.argument("what", metavar="[COMMIT|ID]", required=False)
@click.option("--since", metavar="T", help="Since a time, or the last 30m, 2h, 7d. Default: 1d.")
@pass_context
def why_not(context: Context, what: str | None, since: str | None) -> None:
    """What is held or suppressed now and what was, by which rule, and what you can do; the newest last.

    Of a COMMIT (its id, HEAD, a branch, a tag): what was looked at, and what no detector looks at. Of a proposal (ID):
    what holds it, and what held it."""
    desk = context.desk
    if what is None:
        held, silences = desk.at_one_moment(lambda: _held(context, since))
        text = silences_text(silences) if silences else "  Nothing is held or suppressed, and nothing was."
        render.emit(context, "why-not", held, "\n".join([*_asleep(context), text]), page=True)
        return
    if since is not None:
        raise UsageError("a commit is one moment, and --since names a span", "Give one of them.")
    proposal = explaining.proposal_named(desk, what) if desk.has_log else None
    if proposal is not None:
        _of_proposal(context, proposal_of(desk, proposal.id, context.only()))
        return
    looked = considering.considered(desk, what, context.only())
    render.emit(context, "why-not-commit", looked, considered_text(looked), page=True)


def _held(context: Context, since: str | None) -> tuple[list[HeldOut], list[Silence]]:
    held = explaining.why_not(context.desk, since, context.only())
    return held, grouped(context.desk, held)


def _of_proposal(context: Context, proposal: Proposal) -> None:
    held = explaining.why_not_proposal(context.desk, proposal)
    silences = grouped(context.desk, held)
    told = "you were told of it" if proposal.delivered else "you were not told of it"
    lines = [f"{render.paint(proposal.id, 'bold')} {render.inert(proposal.raised.title)}: {proposal.state}, {told}"]
    if not silences:
        lines.append("  Nothing holds it, and nothing did.")
    elif not silences[0].now:
        lines.append("  Nothing holds it now.")
    lines += [silences_text(silences)] if silences else []
    render.emit(context, "why-not", held, "\n".join(lines), page=True)


def _asleep(context: Context) -> list[str]:
    if context.desk.daemon_running():
        return []
    return [render.folded("  The daemon is not running: nothing is looked at or told until `kairos start`.")]


def silences_text(silences: list[Silence]) -> str:
    """What is held and what was, as text for a person: a block for each, the newest last."""
    blocks = []
    for title, some in (("Now", [s for s in silences if s.now]), ("Before", [s for s in silences if not s.now])):
        blocks += [render.paint(title, "bold"), *map(_block, some)] if some else []
    return "\n".join(blocks)


def _block(one: Silence) -> str:
    times = f", {one.times} times" if one.times > 1 else ""
    until = f", until {one.until}" if one.until else ""
    lines = [
        f"  {render.paint(one.last, 'dim')}{times}  {render.inert(one.repo)}  {render.paint(one.what, 'bold')}",
        f"      {render.inert(one.why)}{until}   {render.paint(f'rule {one.rule}', 'dim')}",
    ]
    lines += [f"      → {render.inert(one.remedy)}"] if one.remedy else []
    return "\n".join(render.folded(line, hang="      ") for line in lines)


def considered_text(looked: CommitLookOut) -> str:
    """What was considered about a commit, as text for a person."""
    lines = [
        f"{render.paint(looked.commit[:12], 'bold')} {render.inert(looked.subject)}, {count(looked.files, 'file')}",
        f"  looked at just now, with the files as they are; what was said then: kairos why {looked.commit[:8]}",
    ]
    if looked.waiting:
        many, reviews = len(looked.waiting), ", ".join(f"kairos review {id_}" for id_ in looked.waiting)
        waits = f"{count(many, 'card')} about this commit {'waits' if many == 1 else 'wait'}"
        lines.append(f"  {render.paint('!', 'yellow')} {waits}: {reviews}")
    for one in looked.detectors:
        sign = render.paint("✓", "green") if one.looked else render.paint("–", "dim")
        lines.append(f"  {sign} {render.paint(one.detector, 'bold')}: {render.inert(one.what)}")
        lines += [f"      {render.inert(text)}" for text in one.found]
    lines += [f"  {render.paint('·', 'dim')} check {render.inert(text)}" for text in looked.checks]
    lines += [
        "  " + render.paint("no detector looks at", "bold"),
        *(f"      {render.inert(t)}" for t in looked.uncovered),
    ]
    return "\n".join(render.folded(line, hang="        ") for line in lines)
