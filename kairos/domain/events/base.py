"""What an event is: a frozen, versioned fact with a registered name.

Topics are the registered names, never Python paths: a class may move without orphaning history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec

from kairos.domain.names import Name as Name
from kairos.domain.names import name_fields as name_fields

FreeText = Annotated[str, msgspec.Meta(extra={"free_text": True})]
"""Free text: the append path redacts secrets in fields of this type, and in no others. A list of it may be a command:
what follows an option such as `--token` is cut as well."""

Cited = Annotated[int, msgspec.Meta(extra={"cited": True})]
"""The position of an event that this one rests on: retention never folds away what any event cites."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of every event payload: JSON-compatible; the version is stored beside it."""

    version: ClassVar[int] = 1


Upcast = Callable[[dict[str, Any]], dict[str, Any]]
E_ = TypeVar("E_", bound=type[Event])

REGISTRY: dict[str, type[Event]] = {}
UPCASTS: dict[tuple[str, int], Upcast] = {}


def register(cls: E_) -> E_:
    """Class decorator: the class name becomes the topic, for ever."""
    if cls.__name__ in REGISTRY:
        raise ValueError(f"the topic {cls.__name__} is registered twice")
    REGISTRY[cls.__name__] = cls
    return cls


def upcast(topic: str, from_version: int) -> Callable[[Upcast], Upcast]:
    """Registers how a payload of `from_version` becomes one of `from_version + 1`."""

    def add(function: Upcast) -> Upcast:
        UPCASTS[(topic, from_version)] = function
        return function

    return add
