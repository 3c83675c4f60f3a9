"""Folding observations: summarises the observations of one day into `ActivityFolded` events. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from kairos.domain.events import Activity, ActivityFolded, Change, FilesChanged, Tally, name_fields

PATHS_AN_EVENT = 2_000

Word = tuple[str, bytes]
"""A path of a repository: (its id, the path)."""


class Observation(NamedTuple):
    """An observation with its position in the log; `at` in us."""

    position: int
    at: int
    origin: str
    event: FilesChanged


def words(event: FilesChanged) -> Iterator[tuple[bytes, Change | None]]:
    """(path, its change, or None for a path that was moved away) for every path that an observation names, in order."""
    for change in event.changes:
        if change.kind == "moved" and change.was is not None:
            yield os.fsencode(change.was.fs), None
        yield os.fsencode(change.fs), change


class _Path:
    """The changes of one path folded so far."""

    __slots__ = ("counts", "last", "position")

    def __init__(self) -> None:
        self.counts: dict[str, Any] = {"created": 0, "modified": 0, "deleted": 0, "moved": 0}
        self.position = 0
        self.last: Change | None = None


class _Day:
    """The observations of one day of a repository folded so far."""

    def __init__(self, seen: Observation) -> None:
        self.first, self.last = seen.position, seen.position
        self.from_us, self.to_us = seen.at, seen.at
        self.events = 0
        self.origins: dict[str, int] = {}
        self.paths: dict[bytes, _Path] = {}

    def add(self, seen: Observation) -> None:
        self.first, self.last = min(self.first, seen.position), max(self.last, seen.position)
        self.from_us, self.to_us = min(self.from_us, seen.at), max(self.to_us, seen.at)
        self.events += 1
        self.origins[seen.origin] = self.origins.get(seen.origin, 0) + len(seen.event.changes)
        for path, change in words(seen.event):
            known = self.paths.setdefault(path, _Path())
            if change is not None:
                known.counts[change.kind] += 1
            if seen.position >= known.position:
                known.position = seen.position
                known.last = Change(**_named(path), kind="deleted") if change is None else _alone(change)


class Folding:
    """Folds observations, added in any order, into events: equal observations give equal events."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, str], _Day] = {}

    def add(self, seen: Observation) -> None:
        key = (seen.event.repo, day_of(seen.at))
        if key not in self._days:
            self._days[key] = _Day(seen)
        self._days[key].add(seen)

    def events(self, newest: Mapping[Word, int]) -> list[ActivityFolded]:
        """One event for each repository and day, more if there are many paths. `newest`: the last position in the log
        that names a path; the last change of a path is kept only if it is at that position."""
        return [
            event for (repo, day), whole in sorted(self._days.items()) for event in _parts(repo, day, whole, newest)
        ]


def _parts(repo: str, day: str, whole: _Day, newest: Mapping[Word, int]) -> Iterator[ActivityFolded]:
    paths = []
    for path in sorted(whole.paths):
        known = whole.paths[path]
        still = newest.get((repo, path), 0) <= known.position
        state: dict[str, Any] = {"position": known.position, "last": known.last} if still else {}
        if still or any(known.counts.values()):
            paths.append(Activity(**_named(path), **known.counts, **state))
    groups = [paths[i : i + PATHS_AN_EVENT] for i in range(0, len(paths), PATHS_AN_EVENT)] or [[]]
    origins = [Tally(origin=origin, changes=n) for origin, n in sorted(whole.origins.items())]
    for part, some in enumerate(groups, 1):
        yield ActivityFolded(
            repo=repo, day=day, first=whole.first, last=whole.last, from_us=whole.from_us, to_us=whole.to_us,
            events=whole.events, origins=origins, part=part, parts=len(groups), paths=some,
        )  # fmt: skip


def day_of(at: int) -> str:
    """The calendar day of a time (us), UTC, ISO."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).date().isoformat()


def _named(path: bytes) -> dict[str, Any]:
    return dict(name_fields(os.fsdecode(path)))


def _alone(change: Change) -> Change:
    """A change without its former path, which has an entry of its own."""
    return msgspec.structs.replace(change, was=None) if change.was is not None else change
