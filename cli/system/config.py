"""`kairos config`: read and change settings by dotted key."""

from __future__ import annotations

import click

from cli import render
from cli.context import Context, pass_context
from cli.given import AnyText
from cli.run.control import warn_of_configuration
from kairos.desk import configuring
from kairos.desk.records.system import PathOut


@click.group()
def config() -> None:
    """Read and change settings."""


def _lines(key: str, value: object) -> list[str]:
    if isinstance(value, dict) and value:
        return [line for name, below in value.items() for line in _lines(f"{key}.{name}" if key else name, below)]
    return [f"{render.inert(key)} = {render.inert(render.json_text(value))}"]


@config.command()
@click.argument("key", default="")
@pass_context
def get(context: Context, key: str) -> None:
    """One setting by its dotted KEY, or all of them."""
    found = configuring.get(context.desk, key)
    if isinstance(found.value, dict):
        text = "\n".join(_lines(key, found.value))
    else:
        text = render.inert(found.value if isinstance(found.value, str) else render.json_text(found.value))
    render.emit(context, "config-get", found, text)


@config.command("set")
@click.argument("key")
@click.argument("value", type=AnyText())
@pass_context
def set_(context: Context, key: str, value: str) -> None:
    """Set KEY to VALUE, read as TOML or else as text. A daemon reads it when it starts."""
    stored = configuring.set_(context.desk, key, value)
    render.emit(context, "config-set", stored, f"{render.inert(key)} = {render.inert(render.json_text(stored.value))}")
    warn_of_configuration(context)  # one of several wrong settings may have been corrected
    if context.desk.daemon_running():
        render.message(context, "Restart the daemon to apply it: `kairos stop` and `kairos start`.")


@config.command()
@pass_context
def path(context: Context) -> None:
    """Where the configuration file is."""
    place = str(context.desk.home.config_file)
    render.emit(context, "config-path", PathOut(path=place), render.inert(place))
