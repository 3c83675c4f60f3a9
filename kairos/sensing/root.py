"""Trust binds to a directory, (dev, ino), not to a path: is the one that was trusted still there?"""

from __future__ import annotations

import os
import stat

from kairos.eventlog.views.repositories import Repository


def why_lost(repository: Repository) -> str | None:
    """None while the trusted directory is at its path; else `gone` or `replaced` (also by a link to it)."""
    try:
        found = os.lstat(repository.root)
    except OSError:
        return "gone"
    if not stat.S_ISDIR(found.st_mode) or (found.st_dev, found.st_ino) != (repository.dev, repository.ino):
        return "replaced"
    return None
