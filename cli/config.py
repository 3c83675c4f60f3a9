"""`kairos config`: read and change settings by dotted key."""

from __future__ import annotations

from typing import Any

import click

from cli import render
from cli.context import Context, pass_context
from cli.control import warn_of_configuration
from cli.given import AnyText
from cli.outputs import ConfigOut, PathOut
from kairos.eventlog.postgres.address import secrets_of
from kairos.settings import get_value, set_value


@click.group()
def config() -> None:
    """Read and change settings."""


def _lines(key: str, value: object) -> list[str]:
    if isinstance(value, dict) and value:
        return [line for name, below in value.items() for line in _lines(f"{key}.{name}" if key else name, below)]
    return [f"{render.inert(key)} = {render.inert(render.json_text(value))}"]


def _without_password(key: str, value: Any) -> Any:
    """A setting as it may stand on a screen: the address of the log may hold a password."""
    if isinstance(value, dict):
        return {name: _without_password(f"{key}.{name}" if key else name, below) for name, below in value.items()}
    if key != "log.url":
        return value
    for word in secrets_of(str(value)):
        value = value.replace(word, "…")
    return value


@config.command()
@click.argument("key", default="")
@pass_context
def get(context: Context, key: str) -> None:
    """One setting by its dotted KEY, or all of them."""
    value = _without_password(key, get_value(context.home, key))
    if isinstance(value, dict):
        text = "\n".join(_lines(key, value))
    else:
        text = render.inert(value if isinstance(value, str) else render.json_text(value))
    render.emit(context, "config-get", ConfigOut(key=key, value=value), text)


@config.command("set")
@click.argument("key")
@click.argument("value", type=AnyText())
@pass_context
def set_(context: Context, key: str, value: str) -> None:
    """Set KEY to VALUE, read as TOML or else as text. A daemon takes it up when it starts."""
    stored = _without_password(key, set_value(context.home, key, value))
    text = f"{render.inert(key)} = {render.inert(render.json_text(stored))}"
    render.emit(context, "config-set", ConfigOut(key=key, value=stored), text)
    warn_of_configuration(context)  # one of several wrong settings may have been corrected
    if context.daemon_running():
        render.message(context, "The running daemon takes it up after `kairos stop` and `kairos start`.")


@config.command()
@pass_context
def path(context: Context) -> None:
    """Where the configuration file is."""
    place = str(context.home.config_file)
    render.emit(context, "config-path", PathOut(path=place), render.inert(place))
