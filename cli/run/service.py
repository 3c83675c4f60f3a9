"""`kairos service`: the daemon as a systemd user service."""

from __future__ import annotations

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import servicing
from kairos.desk.servicing import DISABLE, ENABLE


@click.group()
def service() -> None:
    """Run the daemon at login, as a systemd user service."""


@service.command(short_help="Write the unit file.")
@click.option("--print", "only_print", is_flag=True, help="Print the unit and change nothing.")
@pass_context
def install(context: Context, only_print: bool) -> None:
    """Write the unit file and print the command that enables it."""
    done = servicing.install(context.desk, write=not only_print)
    said = f"{render.paint('✓', 'green')} wrote {render.inert(done.path)}\nNext: {ENABLE}"
    render.emit(context, "service", done, render.inert(done.unit.rstrip(), lines=True) if only_print else said)
    for warning in () if only_print else servicing.unseen(context.desk):
        render.message(context, render.inert(warning))


@service.command()
@pass_context
def uninstall(context: Context) -> None:
    """Remove the unit file."""
    done, there = servicing.uninstall()
    said = f"removed {render.inert(done.path)}\nNext: {DISABLE}" if there else "no service was installed"
    render.emit(context, "service", done, said)


@service.command(short_help="Show whether the unit file is installed and up to date.")
@pass_context
def status(context: Context) -> None:
    """Show whether the unit file is installed and up to date."""
    found, same = servicing.installed(context.desk)
    how = "up to date" if same else "differs: run `kairos service install`"
    text = f"{render.inert(found.path)}: {how}" if found.installed else "no service is installed"
    render.emit(context, "service", found, text)
