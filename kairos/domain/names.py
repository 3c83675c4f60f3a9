"""Paths as values carry them: text where the bytes are UTF-8, base64 where they are not."""

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


def as_text(fs_path: str) -> str:
    """A path as text that can be stored: bytes that are not UTF-8 as \\xNN. For reading, not for opening."""
    try:
        raw = fs_path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair: no path, but text from elsewhere may hold one
        raw = fs_path.encode("utf-8", "surrogatepass")
    return raw.decode("utf-8", "backslashreplace")


def quoted(fs_path: str) -> str:
    """The path as git writes it in a patch: on one line, in quotes with C escapes where it would not be by itself.

    Bytes that are not UTF-8 and control characters become three octal digits."""
    out = "".join(_ESCAPES.get(c) or (c if c.isprintable() or c == " " else _octal(c)) for c in fs_path)
    return fs_path if out == fs_path else f'"{out}"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _octal(char: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", "surrogateescape"))
