"""Follows a path that is written from a source root, as `com/me/X.java` of `src/main/java/com/me/X.java`."""

from __future__ import annotations

import posixpath

from kairos.detectors.stale_reference.destinations import STAYS, Followed
from kairos.detectors.stale_reference.moves import Moves

_ROOTS = frozenset({"java", "kotlin", "scala", "groovy", "resources", "python", "src", "lib"})
"""What a directory is called that holds packages."""


def follow_below_root(name: str, moves: Moves) -> Followed:
    """What became of a path of at least two words with a suffix. It is followed if one file alone ended with it before,
    and what stands above that is a source root, below which the file still is. Otherwise it is a doubt, if all files
    that it may mean moved."""
    if "/" not in name or name.startswith(("/", ".")) or not posixpath.splitext(name)[1]:
        return STAYS
    paths = moves.by_name.get(posixpath.basename(name), ())
    meant = [path for path in paths if path.endswith("/" + name) and moves.was(path)]
    if not meant or not all(path in moves.moved for path in meant):
        return STAYS
    if any(path.endswith("/" + name) and path in moves.now for path in paths):
        return STAYS
    old = meant[0]
    root, new = old[: -len(name) - 1], moves.moved[old]
    if len(meant) > 1:
        return Followed(None, f"it may mean {old} or {meant[1]}, which moved")
    if posixpath.basename(root) not in _ROOTS or not new.startswith(root + "/"):
        return Followed(None, f"it may mean {old}, which moved")
    return Followed(new[len(root) + 1 :], "", new)
