"""Paths in values: text if the bytes are UTF-8, base64 if they are not."""

from __future__ import annotations

import base64
import os

import msgspec


class Name(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
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
