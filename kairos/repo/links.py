"""Where a symbolic link leads, part by part as a system follows it, without a disk. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Literal, NamedTuple

HOPS = 40
"""After so many links on its way a path leads nowhere, as on Linux."""


class LinkEnd(NamedTuple):
    """Where a link leads: `path` within the repository, with no link on it, which may not exist; or out of the
    repository; or nowhere, in a circle."""

    where: Literal["inside", "outside", "circle"]
    path: str = ""


def followed(link: str, target_of: Callable[[str], str | None]) -> LinkEnd:
    """Follows a link. `target_of`: the text of a link, None for what is none.

    A link that leads through a linked folder and up again goes up from where that folder leads to."""
    waiting = link.split("/")[::-1]
    at: list[str] = []
    hops = 0
    while waiting:
        part = waiting.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not at:
                return LinkEnd("outside")
            at.pop()
            continue
        target = target_of("/".join([*at, part]))
        if target is None:
            at.append(part)
            continue
        hops += 1
        if hops > HOPS:
            return LinkEnd("circle")
        if posixpath.isabs(target):
            return LinkEnd("outside")
        waiting += target.split("/")[::-1]
    return LinkEnd("inside", "/".join(at))
