"""Trust binds to a directory, (dev, ino), not to a path: is the one that was trusted still there?"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from kairos.errors import KairosError
from kairos.eventlog.views.repositories import Repository
from kairos.repo.health import mode_of


def why_lost(repository: Repository) -> str | None:
    """None while the trusted directory is at its path; else `gone` or `replaced` (also by a link to it)."""
    try:
        found = os.lstat(repository.root)
    except OSError:
        return "gone"
    if not stat.S_ISDIR(found.st_mode) or (found.st_dev, found.st_ino) != (repository.dev, repository.ino):
        return "replaced"
    return None


def lost(why: str, root: str) -> KairosError:
    """What a person is told of a lost root."""
    if why == "gone":
        return KairosError(f"{root} is gone", "Bring it back, or end watching with `kairos unwatch`.")
    return KairosError(
        f"{root} is not the directory that was trusted",
        "Put that one back in its place, or trust the new one with `kairos init`.",
    )


def nearest(root: Path) -> Path:
    """The nearest directory above a root that exists: where the way back to it begins."""
    return next(dir for dir in root.parents if dir == dir.parent or stat.S_ISDIR(mode_of(dir)))
