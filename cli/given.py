"""What is given on the command line must be something. A script's unset variable leaves an empty text, which would
mean "all", "here" or "whatever it is now"; a number may be none or larger than any machine's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

_MOST = 2**53
"""Beyond this not even JSON readers agree on a whole number."""


class AnyText(click.types.StringParamType):
    """The type of a value that may be empty, because empty means something there."""


def refuse_nothing(command: click.Command) -> click.Command:
    """The command, which from now on refuses options and arguments that are given and hold nothing."""
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
        given = given[:1]  # the words after the first are another program's
    for one in given:
        if isinstance(one, str) and not one.strip():
            raise click.BadParameter("it is empty. Leave it out, or say what is meant.", ctx, param)
        if isinstance(one, (int, float)) and (not math.isfinite(one) or abs(one) > _MOST):
            raise click.BadParameter(f"{one} is out of range.", ctx, param)
