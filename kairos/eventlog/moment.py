"""Moments: everything that an answer is computed from, read from one state of the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from kairos.eventlog.log import Log
from kairos.eventlog.reader import Rewritten
from kairos.eventlog.views.projection import Projection

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")
_TRIES = 5


class Moment:
    """The views at one state of the log, each loaded once; empty if there is no log."""

    def __init__(self, log: Log | None) -> None:
        self._log = log
        self._loaded: dict[str, Any] = {}

    def view(self, view: Projection[S]) -> S:
        """The state of a view at this moment. Must not be modified: later calls return the same object."""
        if view.key not in self._loaded:
            self._loaded[view.key] = view.state() if self._log is None else view.load(self._log)[0]
        found: S = self._loaded[view.key]
        return found


def at_one_moment(log: Log | None, build: Callable[[Moment], T]) -> T:
    """Returns the result of `build` for one moment. `build` is called again with a newer moment if compaction or
    forgetting rewrote a segment of the first, so it must only read. It must not block: the database keeps every old
    page until it returns."""
    if log is None:
        return build(Moment(None))
    for left in reversed(range(_TRIES)):
        try:
            with log.snapshot():
                return build(Moment(log))
        except Rewritten as error:
            if error.__cause__ is not None and any(s.file == error.file for s in log.reader().segments()):
                raise error.__cause__ from None  # still in the manifest, so the file is lost
            if not left:
                raise
    raise AssertionError("the last try returns or raises")
