"""Validation of a person's file: lists every error with its key, the value found, the values allowed, and a hint.

A field is declared once, in a msgspec struct: type, `Meta` with `ge` and `le`, or a `pattern` with a `description`. The
pydantic model that finds all errors at once is made from that declaration, so the two cannot differ. `extra` with
`secret` keeps a wrong value out of messages. To read a valid file, convert it with msgspec without this module:
importing pydantic is too slow for a quick command.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from kairos.errors import UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel

_NAMES = {str: "a text", bool: "true or false", int: "a whole number", float: "a number", dict: "a table"}
_CONSTRAINTS = ("ge", "le", "gt", "lt", "pattern", "min_length", "max_length")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 60
_STEP = re.compile(r'"[^"]*"|\[[0-9]+\]|[^.\[\]"]+')
_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]")
_ASSIGNED = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*")(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"))*)\s*=""")


class Fault(NamedTuple):
    """One thing that is wrong: the dotted key, what is wrong with it in words, and what to do about it."""

    key: str
    what: str
    hint: str

    def __str__(self) -> str:
        return f"{self.what}. {self.hint}" if self.hint else self.what


def problems(data: object, kind: type[msgspec.Struct]) -> list[Fault]:
    """Every error that prevents parsed data from being a struct of type `kind`, in the order of the declaration."""
    from pydantic import ValidationError

    try:
        _model(kind).model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        return [_problem(kind, one["type"], one["loc"], one.get("input")) for one in found]
    return []


def refusal(source: str, found: Sequence[Fault], hint: str, text: str = "") -> UsageError:
    """The error that lists every problem of a source, one per line. `text`: of the source, to name the lines."""
    found = [
        fault._replace(what=f"line {n}: {fault.what}") if (n := line_of(text, fault.key)) else fault for fault in found
    ]
    if len(found) == 1:
        return UsageError(f"{source}: {found[0].what}", found[0].hint or hint)
    lines = "".join(f"\n  {problem}" for problem in found)
    return UsageError(f"{source}: {len(found)} errors{lines}", hint)


def line_of(text: str, key: str) -> int | None:
    """The line of a TOML text on which the value of a dotted key (`rule[1].name`) begins, or else that of the nearest
    table or key above it; None if it is not found, as with a key over several lines."""
    wanted = [part.strip('"') for part in _STEP.findall(key)]
    table: list[str] = []
    counts: dict[str, int] = {}
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if (header := _HEADER.match(line)) is not None:
            table = [part.strip('"') for part in _STEP.findall(header[2])]
            if header[1] == "[[":
                name = ".".join(table)
                counts[name] = counts.get(name, -1) + 1
                table.append(f"[{counts[name]}]")
            here = table
        elif (assigned := _ASSIGNED.match(line)) is not None:
            here = [*table, *(part.strip('"') for part in _STEP.findall(assigned[1]))]
        else:
            continue
        if here == wanted[: len(here)] and (best is None or len(here) > best[0]):
            best = (len(here), number)
    return best[1] if best is not None else None


@cache
def _model(kind: type[msgspec.Struct]) -> type[BaseModel]:
    """The strict pydantic model of a struct."""
    from pydantic import ConfigDict, create_model

    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        default = ... if field.required else None  # never read: it only makes the field optional
        fields[field.encode_name] = (_translated(field.type), default)
    strict = ConfigDict(extra="forbid", strict=True, regex_engine="python-re")
    return create_model(kind.__name__, __config__=strict, **fields)


def _translated(kind: Any) -> Any:
    """The type of a field as pydantic takes it: structs as models, constraints as fields."""
    from pydantic import Field

    origin, parts = get_origin(kind), get_args(kind)
    if _is_table(kind):
        return _model(kind)
    if origin is Annotated:
        given = {name: getattr(m, name) for m in _metas(kind) for name in _CONSTRAINTS}
        return Annotated[_translated(parts[0]), Field(**{k: v for k, v in given.items() if v is not None})]
    if origin in (Union, UnionType):
        return Union[tuple(map(_translated, parts))]  # noqa: UP007  # of a tuple, which `|` cannot take
    if origin in (list, dict):
        return origin[tuple(map(_translated, parts))]
    return kind


def _problem(kind: Any, fault: str, where: tuple[int | str, ...], value: object) -> Fault:
    """A fault that pydantic found, in words."""
    key, above, table = "", "", kind
    for step in where:
        above, table = key, kind
        key = f"{key}[{step}]" if isinstance(step, int) else joined(key, step)
        kind = _below(kind, step)
    if fault == "extra_forbidden":
        return Fault(key, f"there is no setting `{key}`", _meant(table, above, str(where[-1])))
    if fault == "missing":
        return Fault(key, f"{key} is missing", f"It must be {expected(kind)}.")
    what = f"{key} is {_shown(value, kind)}; it must be {expected(kind)}" if key else f"it is not {expected(kind)}"
    return Fault(key, what, _default(table, str(where[-1]) if where else ""))


def _below(kind: Any, step: int | str) -> Any:
    """The type of the value under a key or index; None if no value is allowed there."""
    kind = _bare(kind)
    if _is_table(kind):
        return next((f.type for f in msgspec.structs.fields(kind) if f.encode_name == step), None)
    parts = get_args(kind)
    return parts[-1] if get_origin(kind) in (list, dict) else None


def _meant(table: Any, above: str, name: str) -> str:
    """A hint: the setting that an unknown name may have been meant as, else the names that exist."""
    names = [f.encode_name for f in msgspec.structs.fields(table)]
    close = get_close_matches(name, names, n=1)
    return f"Did you mean `{joined(above, close[0])}`?" if close else f"There are {', '.join(names)}."


def _default(table: Any, name: str) -> str:
    """A sentence with the default of a field if it is a simple value, else an empty string."""
    fields = msgspec.structs.fields(_bare(table)) if _is_table(_bare(table)) else ()
    found = next((f.default for f in fields if f.encode_name == name), None)
    return f"The default is {msgspec.json.encode(found).decode()}." if isinstance(found, (str, int, float)) else ""


def expected(kind: Any) -> str:
    """The values that a field of a type accepts, in words: `a number from 0 to 24`."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(expected(part) for part in parts if part is not type(None))
    if origin is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin is list:
        return f"a list of which each is {expected(parts[0])}"
    if origin is dict or _is_table(kind):
        return "a table"
    noun = _NAMES.get(_bare(kind), "something else")
    return next((meta.description or f"{noun} from {_of(meta.ge)} to {_of(meta.le)}" for meta in _metas(kind)), noun)


def _of(end: float | None) -> str:
    """One end of a range, formatted for people."""
    return "anything" if end is None else f"{end:,}".replace(",", " ")


def joined(key: str, name: str) -> str:
    """The dotted key of a name below a key; quoted where TOML requires it."""
    own = name if _BARE_KEY.fullmatch(name) else f'"{name}"'
    return f"{key}.{own}" if key else own


def _metas(kind: Any) -> list[Meta]:
    return [part for part in get_args(kind)[1:] if isinstance(part, Meta)] if get_origin(kind) is Annotated else []


def _bare(kind: Any) -> Any:
    """A type without its annotations and without None."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return _bare(next(part for part in get_args(kind) if part is not type(None)))
    return kind


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _shown(value: object, kind: Any) -> str:
    """A wrong value for a message: shortened, and omitted if it may be a secret."""
    if any((meta.extra or {}).get("secret") for meta in _metas(kind)):
        return "not one"
    if isinstance(value, int) and value.bit_length() > 64:
        return f"a number of {value.bit_length()} bits"
    text = f"`{value}`" if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
