"""Checks that the trusted directory is still at its path. Trust is bound to a directory, (dev, ino), not to a path."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from shlex import quote

from kairos.errors import KairosError
from kairos.eventlog.views.repositories import Repository
from kairos.repo.health import mode_of


def why_lost(repository: Repository) -> str | None:
    """None while the trusted directory is at its path; else `gone` or `replaced` (also by a symlink to it)."""
    try:
        found = os.lstat(repository.root)
    except OSError:
        return "gone"
    if not stat.S_ISDIR(found.st_mode) or (found.st_dev, found.st_ino) != (repository.dev, repository.ino):
        return "replaced"
    return None


def lost(why: str, root: str) -> KairosError:
    """The error that a person sees for a lost root."""
    if why == "gone":
        return KairosError(
            f"{root} is gone", f"Bring it back, or stop watching it with `kairos unwatch {quote(root)}`."
        )
    return KairosError(
        f"{root} is not the directory that was trusted",
        f"Put the old directory back, or trust the new one with `kairos init {quote(root)}`.",
    )


def nearest(root: Path) -> Path:
    """The nearest existing directory above a root, which is watched until the root returns."""
    return next(dir for dir in root.parents if dir == dir.parent or stat.S_ISDIR(mode_of(dir)))
