"""`kairos tools`: what a turn with a model may call."""

from __future__ import annotations

import click
import msgspec

from cli import render
from cli.context import Context, pass_context
from cli.outputs import ToolOut


@click.command()
@pass_context
def tools(context: Context) -> None:
    """The tools of a turn with a model, with their level and the schema of their arguments."""
    from kairos.agent.tools import catalogue

    found = msgspec.convert(catalogue(), list[ToolOut])
    rows: list[list[render.Cell]] = [[t.name, str(t.level), t.description.split(". ")[0]] for t in found]
    render.emit(context, "tools", found, render.table([["NAME", "LEVEL", ""], *rows]))
