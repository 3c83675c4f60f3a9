"""Reads TOML, JSON and JSON with comments that others wrote: bounded in size and depth, in linear time. Pure.

A text that is too large or too deep to be read is told apart from one that is not of its format: nobody knows what it
says.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

LARGEST = 1 << 20
"""The most characters of a text that is read."""
DEEPEST = 32
"""The most parts of a dotted key, and about the depth of lists that a parser goes down to."""

_KEY_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+"""
_DEEP_KEY = re.compile(rf"(?<![\w-]){_KEY_PART}(?:\.[ \t]*+{_KEY_PART}){{{DEEPEST}}}")
_STRING = r'("(?:[^"\\\n]|\\.)*+"?+)'
_COMMENT = re.compile(_STRING + r"|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?+", re.DOTALL)
_COMMA = re.compile(_STRING + r"|,(?=\s*+[}\]])", re.DOTALL)


class ConfigTextError(ValueError):
    """The text is not of its format; the message says why, as its parser does."""


class BoundedOutError(ValueError):
    """The text is too large or too deep to be read, so nobody knows whether it is of its format."""


def parse_toml(text: str) -> dict[str, Any]:
    """The table of a TOML text. ConfigTextError, BoundedOutError."""
    _bound(text)
    if text.count(".") > DEEPEST and _DEEP_KEY.search(text):
        raise BoundedOutError("a key has too many parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigTextError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise BoundedOutError("a number or a list is too large") from error


def parse_json(text: str) -> Any:
    """The value of a JSON text, which may begin with a byte order mark. ConfigTextError, BoundedOutError."""
    _bound(text)
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise ConfigTextError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise BoundedOutError("a number or a list is too large") from error


def parse_jsonc(text: str) -> Any:
    """The value of a JSON text with comments and trailing commas. ConfigTextError, BoundedOutError."""
    _bound(text)
    plain = _COMMENT.sub(lambda m: m[1] or " ", text)
    return parse_json(_COMMA.sub(lambda m: m[1] or "", plain))


def toml_table(text: str) -> dict[str, Any]:
    """The table of a TOML text; empty if it cannot be read."""
    try:
        return parse_toml(text)
    except (ConfigTextError, BoundedOutError):
        return {}


def jsonc_table(text: str) -> dict[str, Any]:
    """The object of a JSON text that may have comments; empty if it cannot be read or is no object."""
    try:
        return table(parse_jsonc(text))
    except (ConfigTextError, BoundedOutError):
        return {}


def table(value: object) -> dict[str, Any]:
    """A table of a parsed text; empty for anything else that stands there."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """A list of a parsed text; empty for anything else that stands there."""
    return value if isinstance(value, list) else []


def _bound(text: str) -> None:
    if len(text) > LARGEST:
        raise BoundedOutError(f"it has more than {LARGEST} characters")
