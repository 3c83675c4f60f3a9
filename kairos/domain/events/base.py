"""What an event is: a frozen, versioned fact with a registered name.

Topics are the registered names, never Python paths: a class may move without orphaning history.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec

FreeText = Annotated[str, msgspec.Meta(extra={"free_text": True})]
"""Free text: the append path redacts secrets in fields of this type, and in no others."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
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


class Name(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A path relative to a repository root: `path` when its bytes are UTF-8, else `path_b64`."""

    path: str | None = None
    path_b64: str | None = None

    def __post_init__(self) -> None:
        if (self.path is None) == (self.path_b64 is None):
            raise ValueError("exactly one of path and path_b64")

    @property
    def fs(self) -> str:
        """The path as Python's file functions take it (surrogateescape)."""
        if self.path is not None:
            return self.path
        return os.fsdecode(base64.b64decode(self.path_b64 or ""))


def name_fields(fs_path: str) -> dict[str, str]:
    """`path` or `path_b64` keyword arguments for a path as Python's file functions give it."""
    raw = os.fsencode(fs_path)
    try:
        return {"path": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"path_b64": base64.b64encode(raw).decode("ascii")}
