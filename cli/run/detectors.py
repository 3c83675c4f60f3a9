"""`kairos detectors`: how each is doing here, your own ones, and waking one that fell silent."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import detecting, learning
from kairos.desk.records.detectors import DetectorOut, DetectorSwitchedOut, LearnedPlaceOut
from kairos.desk.units import count
from kairos.desk.when import at_hand

_ESTIMATE = "PRECISION HERE is an estimate with its 95 % range; after few findings it leans on all that is known."
_STYLES = {"on": "green", "off": "dim", "silenced": "yellow", "shadow": "cyan"}


@click.group(invoke_without_command=True)
@click.pass_context
def detectors(group: click.Context) -> None:
    """The detectors: on, off, in shadow or silenced, how often they were right here, and what became of the last five
    findings."""
    if group.invoked_subcommand is None:
        context = group.find_object(Context)
        assert context is not None
        found = learning.detectors(context.desk, context.only())
        render.emit(context, "detectors", found, _table(found))


@detectors.command("add", short_help="Declare a command as a detector of your own.")
@click.argument("detector")
@click.argument("command", metavar="-- CMD…", nargs=-1, type=click.UNPROCESSED)
@click.option("--seconds", type=click.FloatRange(0.1, 30), default=5.0, show_default=True, help="Time limit of a look.")
@click.option("--memory-mb", type=click.IntRange(16, 65_536), default=512, show_default=True, help="Memory limit.")
@click.option("--read", "read_roots", metavar="DIR", multiple=True, help="A directory it may read besides; repeatable.")
@pass_context
def add(
    context: Context, detector: str, command: Sequence[str], seconds: float, memory_mb: int, read_roots: Sequence[str]
) -> None:  # fmt: skip
    """Declare CMD as the detector DETECTOR, or change it. It is asked about each commit, confined, on its tree, and
    answers with JSON lines or SARIF. It starts in shadow: it looks, and is never told."""
    done = detecting.add(
        context.desk, detector, command, seconds=seconds, memory_mb=memory_mb, read_roots=read_roots
    )  # fmt: skip
    words = render.inert(shlex.join(done.command))
    text = f"{render.paint('✓', 'green')} {done.detector} looks at each commit, in shadow: {words}\n"
    text += f"  What would it have found? kairos backtest . --last 200 --detector {done.detector}"
    render.emit(context, "detectors-add", done, text)


@detectors.command("rm")
@click.argument("detector")
@pass_context
def rm(context: Context, detector: str) -> None:
    """Take a detector of your own away; what it found stays in the log."""
    done = detecting.remove(context.desk, detector)
    render.emit(context, "detectors-rm", done, f"{render.paint('✓', 'green')} {render.inert(done.detector)} is gone")


@detectors.command("promote")
@click.argument("detector")
@pass_context
def promote(context: Context, detector: str) -> None:
    """Switch a detector on: what it finds from now on is raised and told."""
    _switched(context, detecting.switch(context.desk, detector, "on"), "detectors-promote", "is on")


@detectors.command("shadow")
@click.argument("detector")
@pass_context
def shadow(context: Context, detector: str) -> None:
    """Put a detector into shadow: it looks and is never told; what people did is its score."""
    _switched(context, detecting.switch(context.desk, detector, "shadow"), "detectors-shadow", "is in shadow")


@detectors.command("off")
@click.argument("detector")
@pass_context
def off(context: Context, detector: str) -> None:
    """Switch a detector off: it does not look."""
    _switched(context, detecting.switch(context.desk, detector, "off"), "detectors-off", "is off")


def _switched(context: Context, done: DetectorSwitchedOut, verb: str, words: str) -> None:
    text = f"{render.paint('✓', 'green')} {render.inert(done.detector)} {words}"
    if done.waiting:
        text += f"; {count(done.waiting, 'card')} of it still {'waits' if done.waiting == 1 else 'wait'}: kairos inbox"
    render.emit(context, verb, done, text)


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
    if any(one.learned.yes + one.learned.no for one in found):
        lines.append(f"  {render.paint(_ESTIMATE, 'dim')}")
    for one in found:
        if one.failing:
            lines.append(f"  {render.paint('✗', 'red')} {one.detector}: {render.inert(one.failing)}")
        if one.suggestion:
            lines.append(f"  {render.paint('→', 'green')} {one.suggestion}")
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
    return "\n".join([lines[0], *(render.folded(line, hang="      ") for line in lines[1:])])


def _precision(place: LearnedPlaceOut) -> str:
    """The mean and the 95 % interval; a dash while nothing is known."""
    if not place.yes + place.no:
        return "–"
    return f"{place.precision:.0%} ({place.low:.0%}–{place.high:.0%})"
