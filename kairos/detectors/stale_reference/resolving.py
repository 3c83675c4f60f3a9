"""What the resolvers of all languages share."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple


class SourceReference(NamedTuple):
    """A part of a source file that refers to something: see `source_references`."""

    kind: str
    start: int
    end: int
    value: str


def between(target: str, here: str) -> str:
    """The way to a path from a directory, without a leading `./`."""
    return posixpath.relpath(target, here or ".")


def joined(directory: str, path: str) -> str | None:
    """The path that a relative one means from a directory; None if it is outside of the tree."""
    found = posixpath.normpath(posixpath.join(directory, path))
    if found == ".":
        return ""
    return None if found.startswith(("../", "/")) or found == ".." else found


def above(directory: str) -> Iterator[str]:
    """A directory and those above it, without the root."""
    while directory:
        yield directory
        directory = posixpath.dirname(directory)
