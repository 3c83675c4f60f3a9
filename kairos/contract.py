"""What foreign data may hold, in words: the range of a field as it is declared, and what is wrong with a value.

A field states its range once, in `msgspec.Meta`: `ge` and `le`, or a `pattern` with a `description` of it. `extra`
with `secret` keeps a wrong value out of messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta

_NAMES = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 60


def complaints(value: object, kind: Any, key: str = "") -> Iterator[str]:
    """What is wrong with a value that should be of a kind: each key with its value and what may stand there."""
    if isinstance(value, dict) and get_origin(kind) is dict:
        for name, below in value.items():
            yield from complaints(below, get_args(kind)[1], joined(key, name))
    elif isinstance(value, dict) and _is_table(kind):
        yield from _of_table(value, kind, key)
    else:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError:
            yield f"{key} is {_shown(value, kind)}; it must be {expected(kind)}"


def _of_table(value: dict[str, object], kind: Any, key: str) -> Iterator[str]:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for name, below in value.items():
        if name in fields:
            yield from complaints(below, fields[name].type, joined(key, name))
        else:
            yield f"there is no setting `{joined(key, name)}`"
    yield from (f"{joined(key, n)} is missing" for n, field in fields.items() if field.required and n not in value)


def expected(kind: Any) -> str:
    """What may stand in a field of a kind, in words: `a number from 0 to 24`."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(expected(part) for part in parts if part is not type(None))
    if origin is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin is list:
        return f"a list of which each is {expected(parts[0])}"
    if origin is not Annotated:
        return _NAMES.get(kind, "a table")
    meta = next(part for part in parts[1:] if isinstance(part, Meta))
    if meta.description:
        return meta.description
    return f"{_NAMES[parts[0]]} from {meta.ge:,} to {meta.le:,}".replace(",", " ")


def joined(key: str, name: str) -> str:
    """The dotted key of a name below a key; quoted where TOML wants it."""
    own = name if _BARE_KEY.fullmatch(name) else f'"{name}"'
    return f"{key}.{own}" if key else own


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _shown(value: object, kind: Any) -> str:
    """A wrong value as a message may hold it: short, and nothing of what may be a secret."""
    if any(isinstance(part, Meta) and (part.extra or {}).get("secret") for part in get_args(kind)):
        return "not one"
    if isinstance(value, int) and value.bit_length() > 64:
        return f"a number of {value.bit_length()} bits"
    text = f"`{value}`" if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
