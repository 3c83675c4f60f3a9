"""The catalogue of every event as Markdown, from the registered classes themselves: docs/events.md.

`python -P -m kairos.domain.catalogue` writes it to standard output.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import msgspec
from msgspec import inspect

from kairos.domain.events import REGISTRY, checks, detectors, logs, nights, proposals, repository, storage, turns
from kairos.domain.events.base import Event

_CHAPTERS: tuple[tuple[str, ModuleType], ...] = (
    ("Repositories", repository),
    ("Attention, turns and the model", turns),
    ("Proposals and executions", proposals),
    ("Checks", checks),
    ("Watched logs", logs),
    ("Detectors", detectors),
    ("Schedules, dreams and memory", nights),
    ("The log and the daemon", storage),
)
_HEAD = """\
# Events

Generated from the classes by `make docs`; edit those instead.

Every fact in the log is one of these. A payload is one JSON object with the fields below, in this order; a field that
equals its default is left out. *Free text* is the only place where secrets are cut before anything is stored.
Each stored event also has a position, a stream, its version in that stream, `v` (the version of its type), `at`,
`caused_by`, `correlation` and `origin`. Positions never change; a type never changes its meaning: it gets a new version
and an upcast. Names of types are capital letters, small letters and digits, beginning with a capital. An event with any
other name was stored by another application (`origin` foreign, `v` 0): nobody here knows what it means or acts on it.
"""


def catalogue() -> str:
    """The whole document. ValueError if an event is defined in a module that no chapter names."""
    values: dict[str, inspect.StructType] = {}
    parts = [_HEAD]
    listed = set[str]()
    for title, module in _CHAPTERS:
        parts.append(f"## {title}\n\n{_prose(module.__doc__)}\n")
        for topic, cls in REGISTRY.items():
            if cls.__module__ == module.__name__:
                listed.add(topic)
                parts.append(_event(topic, cls, values))
    missing = set(REGISTRY) - listed
    if missing:
        raise ValueError(f"no chapter holds {', '.join(sorted(missing))}")
    parts.append("## Values\n\nWhat several events are made of.\n")
    described: dict[str, str] = {}
    while rest := set(values) - set(described):  # describing one value may name further ones
        described.update({name: _value(name, values) for name in rest})
    return "\n".join([*parts, *(described[name] for name in sorted(described))])


def _event(topic: str, cls: type[Event], values: dict[str, inspect.StructType]) -> str:
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    return f"### {topic}\n\nVersion {cls.version}. {_prose(cls.__doc__)}\n\n{_fields(info, values)}"


def _value(name: str, values: dict[str, inspect.StructType]) -> str:
    info = values[name]
    tag = f" `{info.tag_field}` is `{info.tag}`." if info.tag_field else ""
    return f"### {name}\n\n{_prose(info.cls.__doc__)}{tag}\n\n{_fields(info, values)}"


def _fields(info: inspect.StructType, values: dict[str, inspect.StructType]) -> str:
    if not info.fields:
        return "No fields.\n"
    rows = ["| field | type | default |", "| --- | --- | --- |"]
    for field in info.fields:
        rows.append(f"| `{field.encode_name}` | {_type(field.type, values)} | {_default(field)} |")
    return "\n".join(rows) + "\n"


def _default(field: inspect.Field) -> str:
    if field.default_factory is not msgspec.NODEFAULT:
        return f"`{_json(field.default_factory())}`"
    return "" if field.default is msgspec.NODEFAULT else f"`{_json(field.default)}`"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _type(type_: inspect.Type, values: dict[str, inspect.StructType]) -> str:
    match type_:
        case inspect.Metadata():
            return "free text" if (type_.extra or {}).get("free_text") else _type(type_.type, values)
        case inspect.StructType():
            values[type_.cls.__name__] = type_
            return f"[{type_.cls.__name__}](#{type_.cls.__name__.lower()})"
        case inspect.UnionType():
            return " or ".join(_type(t, values) for t in type_.types)
        case inspect.ListType():
            return f"list of {_type(type_.item_type, values)}"
        case inspect.LiteralType():
            return ", ".join(f"`{v}`" for v in type_.values)
        case inspect.StrType():
            return "text"
        case inspect.IntType():
            return "integer"
        case inspect.FloatType():
            return "number"
        case inspect.BoolType():
            return "boolean"
        case inspect.NoneType():
            return "null"
    raise ValueError(f"{type_!r} is not a type that a payload may have")


def _prose(docstring: str | None) -> str:
    return " ".join((docstring or "").split())


if __name__ == "__main__":
    sys.stdout.write(catalogue())
