"""What an event is: a frozen, versioned fact with a registered name.

Topics are the registered names, never Python paths: a class may move and old events stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec

from kairos.domain.names import Name as Name
from kairos.domain.names import name_fields as name_fields

FreeText = Annotated[str, msgspec.Meta(extra={"free_text": True})]
"""Free text: the append path redacts secrets in fields of this type, and in no others. A list of it may be a command:
the word after an option such as `--token` is redacted as well."""

Cited = Annotated[int, msgspec.Meta(extra={"cited": True})]
"""The position of an event that this one rests on: retention never folds away what any event cites."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of every event payload: JSON-compatible; the version is stored beside it."""

    version: ClassVar[int] = 1


Upcast = Callable[[dict[str, Any]], dict[str, Any]]
E_ = TypeVar("E_", bound=type[Event])

_OURS = re.compile(r"[A-Z][A-Za-z0-9]*")
"""The names reserved for events of Kairos, in this and any later version."""
REGISTRY: dict[str, type[Event]] = {}
UPCASTS: dict[tuple[str, int], Upcast] = {}


def register(cls: E_) -> E_:
    """Class decorator: the class name becomes the topic, permanently."""
    if is_foreign(cls.__name__):
        raise ValueError(f"{cls.__name__} is no name for an event: {_OURS.pattern}")
    if cls.__name__ in REGISTRY:
        raise ValueError(f"the topic {cls.__name__} is registered twice")
    REGISTRY[cls.__name__] = cls
    return cls


def is_foreign(topic: str) -> bool:
    """Whether a topic is that of another application's event: no event of Kairos has such a name, and none will."""
    return topic != "" and _OURS.fullmatch(topic) is None


def upcast(topic: str, from_version: int) -> Callable[[Upcast], Upcast]:
    """Registers how a payload of `from_version` becomes one of `from_version + 1`."""

    def add(function: Upcast) -> Upcast:
        UPCASTS[(topic, from_version)] = function
        return function

    return add
