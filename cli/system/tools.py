"""`kairos tools`: what a turn with a model may call."""

from __future__ import annotations

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk.tools import tools as known_tools


@click.command()
@pass_context
def tools(context: Context) -> None:
    """The tools of a turn with a model, with their level and the schema of their arguments."""
    found = known_tools()
    rows: list[list[render.Cell]] = [[t.name, str(t.level), t.description.split(". ")[0]] for t in found]
    render.emit(context, "tools", found, render.table([["NAME", "LEVEL", ""], *rows]))
