"""What several commands take alike, and checks of the values given on the command line. A script's unset variable gives
an empty text, which could be taken as "all", "here" or "the present one"; a number may be NaN or too large."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

_MOST = 2**53
"""Above this, JSON readers do not agree on the value of a whole number."""


class AnyText(click.types.StringParamType):
    """The type of a value that may be empty, because empty means something there."""


def at_most(which: str, shown: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option `-n`, `--limit` of a list: only its first or newest (`which`) entries; a terminal shows `shown`
    without it."""
    return click.option(
        "-n", "--limit", type=click.IntRange(1, 1_000_000), metavar="N",
        help=f"Only the {which} N (default {shown}; all with --json).",
    )  # fmt: skip


def refuse_nothing(command: click.Command) -> click.Command:
    """The command, changed so that it refuses options and arguments that are given but empty."""
    for param in command.params:
        if not isinstance(param.type, AnyText):
            param.callback = _checked(param.callback)
    return command


def _checked(inner: Callable[[click.Context, click.Parameter, Any], Any] | None) -> Callable[..., Any]:
    def callback(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        if ctx.get_parameter_source(param.name or "") is not ParameterSource.DEFAULT:
            _refuse(ctx, param, value)
        return inner(ctx, param, value) if inner is not None else value

    return callback


def _refuse(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    given = value if isinstance(value, tuple) else (value,)
    if param.type is click.UNPROCESSED:
        given = given[:1]  # the words after the first are arguments of another program
    for one in given:
        if isinstance(one, str) and not one.strip():
            raise click.BadParameter("it is empty. Leave it out, or say what is meant.", ctx, param)
        if isinstance(one, (int, float)) and (not math.isfinite(one) or abs(one) > _MOST):
            raise click.BadParameter(f"{one} is out of range.", ctx, param)
