"""`kairos check`: a person's own commands, run after each commit, and who broke what."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import checking
from kairos.desk.records.checks import NamedCheckOut

KINDS = click.Choice(["test", "lint", "types", "build"])
_STYLES = {"green": "green", "red": "red", "broken": "yellow"}
_VERDICTS = {
    "": "looking",
    "known": "red since the check was named; not told",
    "new": "new",
    "older": "red on earlier commits too",
    "flaky": "flaky",
    "order": "depends on the order",
    "untested": "could not be tested",
}
_MOST_SHOWN = 12
_RED, _NOT_RUN = 1, 8


@click.group()
def check() -> None:
    """Your own commands (tests, linters, type checkers, builds), run confined after each commit."""


@check.command("add", short_help="Name a command as a check of this repository.")
@click.argument("command", metavar="-- CMD…", nargs=-1, type=click.UNPROCESSED)
@click.option("--kind", type=KINDS, required=True, help="What it is.")
@click.option("--name", metavar="NAME", default=None, help="Default: the kind.")
@click.option("--seconds", type=click.FloatRange(0.1, 86_400), default=600.0, show_default=True, help="Time limit.")
@click.option("--memory-mb", type=click.IntRange(16, 4_194_304), default=4096, show_default=True, help="Memory limit.")
@click.option("--read", "read_roots", metavar="DIR", multiple=True, help="A directory it may read besides; repeatable.")
@click.option("--results", metavar="FILE", default="", help="The file it reports in (JUnit XML, SARIF, …).")
@pass_context
def add(
    context: Context, command: Sequence[str], kind: Any, name: str | None, seconds: float, memory_mb: int,
    read_roots: Sequence[str], results: str,
) -> None:  # fmt: skip
    """Name CMD as a check. It runs confined, on a scratch tree of each new commit, when you pause; now first at HEAD:
    what is red there already is not told."""
    done = checking.add(
        context.desk, context.only(), command, kind=kind, name=name, seconds=seconds, memory_mb=memory_mb,
        read_roots=read_roots, results=results,
    )  # fmt: skip
    words = render.inert(shlex.join(done.command))
    text = f"{render.paint('✓', 'green')} `{done.name}` runs after each commit: {words}"
    if not done.found:
        text += f"\n  {render.paint('!', 'yellow')} {render.inert(_not_found(done))}"
    text += "" if context.desk.daemon_running() else "\n  No daemon runs: `kairos check run` runs it now."
    render.emit(context, "check-add", done, text)


@check.command("ls")
@pass_context
def ls(context: Context) -> None:
    """The checks, and how they stand at HEAD; with --repo of one repository."""
    found = checking.listed(context.desk, context.only())
    text = _standing(found) if found else "  No check. `kairos check suggest` reads what a repository already uses."
    render.emit(context, "check-ls", found, text)


@check.command("rm", short_help="Remove a check.")
@click.argument("name")
@pass_context
def rm(context: Context, name: str) -> None:
    """Remove the check NAME; what it reported stays in the log."""
    done = checking.remove(context.desk, context.only(), name)
    render.emit(context, "check-rm", done, f"{render.paint('✓', 'green')} `{render.inert(done.name)}` is gone")


@check.command("suggest")
@pass_context
def suggest(context: Context) -> None:
    """What this repository already uses, as commands that name it. Nothing of it is run."""
    found = checking.suggested(context.desk, context.only())
    rows: list[list[render.Cell]] = [
        [s.because, shlex.join(s.add), "" if s.found else f"({s.command[0]} is not installed)"] for s in found
    ]
    text = f"{render.table(rows)}\n  Nothing runs before you name it." if found else "  Nothing that is known."
    render.emit(context, "check-suggest", found, text)


@check.command("run", short_help="Run checks now, and find who broke what.")
@click.argument("names", metavar="[NAME…]", nargs=-1)
@click.option("--at", metavar="REV", default=None, help="Once, on the tree of this commit.")
@pass_context
def run(context: Context, names: Sequence[str], at: str | None) -> int:
    """Run the checks now on the tree of HEAD, unless they ran on it, and find who broke what is newly red. Exit 1 if
    one is red, 8 if one could not be run."""
    with render.progress(context, "checking") as moved:
        ended = 0

        def told(line: str) -> None:
            nonlocal ended
            ended += 1
            moved(ended, 0)
            render.message(context, f"  {render.inert(line)}")

        found = checking.run(context.desk, context.only(), names, told=told, at=at)
    render.emit(context, "check-run", found, _standing(found))
    states = {c.state for c in found}
    return _RED if "red" in states else _NOT_RUN if states - {"green"} else 0


@check.command("simulate")
@pass_context
def simulate(context: Context) -> None:
    """What running a check only for commits that touch certain kinds of files would have saved, and missed."""
    found = checking.simulate(context.desk, context.only())
    rows: list[list[render.Cell]] = [["CHECK", "RUNS", "SKIPPED", "SAVED", "NEWLY RED", "MISSED", "HARMLESS KINDS"]]
    rows += [
        [s.name, str(s.runs), str(s.skipped), f"{s.saved:.0f} of {s.seconds:.0f} s", str(s.red), str(s.missed),
         " ".join(s.kinds)]
        for s in found
    ]  # fmt: skip
    text = render.table(rows) if found else "  No check."
    if any(not s.kinds for s in found):
        text += "\n  A kind of file is harmless after five runs that touched it with nothing newly red."
        text += " Until then none is skipped."
    render.emit(context, "check-simulate", found, text)


def _not_found(done: NamedCheckOut) -> str:
    program = done.command[0]
    if "/" in program:
        return f"{program} is no file in the repository, so that it cannot run"
    return (
        f"{program} is not found where a check looks: in the system's directories and the toolchains of your home. "
        "Name it by its path in the repository, as .venv/bin/…, or give its directory with --read"
    )


def _standing(found: Sequence[NamedCheckOut]) -> str:
    """The checks as a table, and what is red; a part for each repository if there are several."""
    roots = list(dict.fromkeys(c.repo for c in found))
    parts = [_table([c for c in found if c.repo == root]) for root in roots]
    if len(roots) < 2:
        return "\n".join(parts)
    return "\n\n".join(f"{render.inert(root)}\n{part}" for root, part in zip(roots, parts, strict=True))


def _state(c: NamedCheckOut) -> str:
    if c.for_proposals_only:
        return "tries proposals"
    if c.state == "green" and c.passed:
        return f"green ({c.passed} green)"
    if c.state == "red":
        return f"{len(c.red)} red, {c.passed} green"
    return f"{c.state}; {c.before}" if c.before else c.state


def _table(found: Sequence[NamedCheckOut]) -> str:
    rows: list[list[render.Cell]] = [["CHECK", "KIND", "STATE", "AT", "TOOK", "COMMAND"]]
    for c in found:
        took = f"{c.took:.1f} s" if c.took else ""
        state = render.Styled(_state(c), _STYLES.get(c.state, ""))
        rows.append([c.name, c.kind, state, c.commit[:10], took, shlex.join(c.command)])
    lines = [render.table(rows)]
    for c in found:
        if c.why:
            lines.append(f"  {c.name}: {render.inert(c.why)}")
        for red in c.red[:_MOST_SHOWN]:
            place = f", {render.inert(red.place)}" if red.place else ""
            verdict = f"new at {red.culprit[:10]}{place}" if red.culprit else _VERDICTS.get(red.verdict, red.verdict)
            lines.append(f"  {render.paint('✗', 'red')} {render.inert(red.words)}: {verdict}")
            lines += [f"      {render.inert(red.message)}"] if red.message else []
        if len(c.red) > _MOST_SHOWN:
            lines.append(f"  and {len(c.red) - _MOST_SHOWN} more of `{c.name}`")
    return "\n".join(lines)
