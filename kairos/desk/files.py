"""The watched tree as recorded in the log. Does not read the disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kairos.desk.desk import Desk
from kairos.desk.given import place
from kairos.desk.reading import repositories
from kairos.errors import NotFound
from kairos.home import machine


def files(desk: Desk, path: str) -> Iterator[dict[str, Any]]:
    """The entries of the repository whose root `path` is, sorted bytewise, shaped as `FileOut`. NotFound (4)."""
    root = str(place(path))
    repository = repositories(desk).at(root, machine())
    if repository is None:
        raise NotFound(f"{path} is not the root of a repository that Kairos knows", f"`kairos init {path}` adds it.")
    from kairos.eventlog.views.watched_tree import fold_tree, rows

    return iter(rows(fold_tree(desk.log, repository.id)))
