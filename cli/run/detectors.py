"""`kairos detectors`: how each is doing here, and waking one that fell silent."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import learning
from kairos.desk.records.detectors import DetectorOut, LearnedPlaceOut
from kairos.desk.units import count
from kairos.desk.when import at_hand

_STYLES = {"on": "green", "off": "dim", "silenced": "yellow"}


@click.group(invoke_without_command=True)
@click.pass_context
def detectors(group: click.Context) -> None:
    """The detectors: on, off or silenced, how often they were right here, and what became of the last five findings."""
    if group.invoked_subcommand is None:
        context = group.find_object(Context)
        assert context is not None
        found = learning.detectors(context.desk, context.only())
        render.emit(context, "detectors", found, _table(found))


@detectors.command("reset", short_help="Forget what was learned of a detector, and let it speak again.")
@click.argument("detector")
@click.option("--path", metavar="DIR", default=None, help="Only below this directory (with --repo).")
@pass_context
def reset(context: Context, detector: str, path: str | None) -> None:
    """Forget what was learned of DETECTOR, everywhere or with --repo in one repository. Where it was silent it speaks
    again, and what it held back is looked at again."""
    done = learning.reset(context.desk, detector, context.only(), path)
    where = f"in {render.inert(done.repo)}" if done.repo else "everywhere"
    where = f"below {render.inert(done.path)} {where}" if done.path else where
    lines = [f"{render.paint('✓', 'green')} {done.detector} starts anew {where}: {done.forgotten:g} lessons forgotten"]
    if done.held:
        when = "now" if context.desk.daemon_running() else "when the daemon runs (kairos start)"
        lines.append(f"  {count(done.held, 'finding')} that it held back: looked at again {when}")
    render.emit(context, "detectors-reset", done, "\n".join(lines))


def _table(found: Sequence[DetectorOut]) -> str:
    rows: list[list[render.Cell]] = [["DETECTOR", "STATE", "WELCOME", "PRECISION HERE", "LAST"]]
    for one in found:
        state = f"{one.state}, muted" if one.muted else one.state
        learned = one.learned
        known = learned.yes + learned.no
        rows.append(
            [one.detector, render.Styled(state, _STYLES.get(one.state, "")),
             f"{learned.yes:g} of {known:g}" if known else "–", _precision(learned),
             ", ".join(t.lesson for t in one.last)]
        )  # fmt: skip
    lines = [render.table(rows)]
    for one in found:
        for place in one.places:
            if place.silent:
                lines.append(f"  {render.paint('→', 'yellow')} {render.inert(place.why)}")
                lines.append(f"      {render.inert(place.ends)}")
        for moment in one.moments:
            if moment.put_off:
                lines.append(
                    f"  {render.paint('→', 'yellow')} {one.detector} is not told at {moment.boundary}: put off "
                    f"{moment.bad:g} of {moment.good + moment.bad:g} times; it waits for the brief"
                )
    last = [(t, one.detector) for one in found for t in one.last]
    for taught, detector in sorted(last, key=lambda x: x[0].at, reverse=True)[:5]:
        lines.append(f"  {at_hand(taught.at)}  {detector}: {render.inert(taught.title)} ({taught.lesson})")
    return "\n".join(lines)


def _precision(place: LearnedPlaceOut) -> str:
    """The mean and the 95 % interval; a dash while nothing is known."""
    if not place.yes + place.no:
        return "–"
    return f"{place.precision:.0%} ({place.low:.0%}–{place.high:.0%})"
