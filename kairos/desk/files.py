"""The watched tree as recorded in the log. Does not read the disk."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kairos.desk.desk import Desk
from kairos.desk.given import place
from kairos.desk.reading import repository_at
from kairos.errors import NotFound


def files(desk: Desk, path: str) -> Iterator[dict[str, Any]]:
    """The entries of the repository that holds `path`, or of the part of it that `path` names, sorted bytewise, shaped
    as `FileOut`. NotFound (4) for a path that no registered repository holds, or that the log does not know."""
    repository = repository_at(desk, Path(path))
    from kairos.eventlog.views.watched_tree import fold_tree, rows

    tree = fold_tree(desk.log, repository.id)
    below = os.fsencode(os.path.relpath(place(path), repository.root))
    if below != b".":
        tree = {name: entry for name, entry in tree.items() if name == below or name.startswith(below + b"/")}
        if not tree:
            raise NotFound(
                f"the log knows no {path} in {repository.root}",
                f"`kairos files {shlex.quote(repository.root)}` lists what it knows; ignored files are not recorded.",
            )
    return iter(rows(tree))
