"""Follows a string in code that is exactly the path of a moved file."""

from __future__ import annotations

import posixpath
import re

from kairos.detectors.stale_reference.destinations import SCHEME, STAYS, Followed, PathReading, follow, is_dotted
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.resolving import above

_PROJECT = ("Cargo.toml", "package.json", "pyproject.toml", "setup.py", "go.mod")
_PLAIN = re.compile(r"[\w.@+~-]*(?:/[\w.@+~-]+)+")


def follow_string(path: str, value: str, moves: Moves) -> Followed:
    """What became of a string: a path from the root, or with a leading dot from the file. It is followed only if it is
    the whole path of one file that was moved or, in a moved file, that is lost from where the file stands now."""
    if not _PLAIN.fullmatch(value) or value.startswith("/") or SCHEME.match(value):
        return STAYS
    before, here = posixpath.dirname(moves.former(path)), posixpath.dirname(path)
    beside = posixpath.normpath(posixpath.join(before, value))
    if is_dotted(value):
        if not moves.was(beside) or not posixpath.splitext(value)[1]:
            return STAYS
        followed = follow(value, [PathReading(before, here, "relative")], moves)
    else:
        if not moves.is_stale(value) or (before and moves.was(beside)):
            return STAYS
        if any(f"{d}/{name}" in moves.now for d in above(here) for name in _PROJECT):
            return Followed(None, "it may be relative to the package of the file")
        followed = follow(value, [PathReading("", "", "above")], moves)
    return followed if followed.new and _PLAIN.fullmatch(followed.new) else STAYS
