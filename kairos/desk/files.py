"""The watched tree as recorded in the log. Does not read the disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kairos.desk.desk import Desk
from kairos.desk.reading import registered_at


def files(desk: Desk, path: str) -> Iterator[dict[str, Any]]:
    """The entries of the repository whose root `path` is, sorted bytewise, shaped as `FileOut`. NotFound (4)."""
    repository = registered_at(desk, path)
    from kairos.eventlog.views.watched_tree import fold_tree, rows

    return iter(rows(fold_tree(desk.log, repository.id)))
