"""Hints from watchdog, for systems without our inotify reader. Hints may be lost: the sweep finds those changes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirModifiedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import ObservedWatch

from kairos._native import Watcher

_LEAN: list[type[FileSystemEvent]] = [
    DirCreatedEvent, DirDeletedEvent, DirModifiedEvent, DirMovedEvent,
    FileCreatedEvent, FileDeletedEvent, FileModifiedEvent, FileMovedEvent,
]  # fmt: skip
_OBJECTS = os.sep + os.path.join(".git", "objects")  # noqa: PTH118


class WatchdogHints(FileSystemEventHandler):
    """One recursive watch on the tree, and one watch on each further directory passed to `confirm`."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._bell = threading.Condition()
        self._dirty: set[bytes] = set()
        self._rung = False
        self._covered: dict[bytes, ObservedWatch] = {}
        self._observer = Observer()
        self._observer.daemon = True
        self._observer.start()

    @property
    def watcher(self) -> Watcher | None:
        """Always None: watchdog has no watcher for a walk to use."""
        return None

    @property
    def watched(self) -> int:
        return len(self._covered)

    @property
    def polled(self) -> set[bytes]:
        return set()

    @property
    def shortage(self) -> int:
        return 0

    def missing(self, dirs: list[bytes]) -> list[bytes]:
        """The directories of `dirs` that no watch covers; those inside the recursive watch are always covered."""
        return [dir for dir in dirs if not self._covers(dir)]

    def confirm(self, dirs: list[bytes]) -> list[bytes]:
        """Watches directories. Always returns an empty list."""
        for dir in [self._root, *dirs] if dirs else []:
            if not self._covers(dir):
                try:
                    self._covered[dir] = self._observer.schedule(
                        self, os.fsdecode(dir), recursive=dir == self._root, event_filter=_LEAN
                    )
                except OSError:
                    continue  # removed already: its parent's watch reports it
        return []

    def drop(self, dirs: list[bytes]) -> None:
        """Stops watching exactly these directories."""
        for dir in dirs:
            if dir in self._covered:
                self._observer.unschedule(self._covered.pop(dir))

    def dispatch(self, event: FileSystemEvent) -> None:
        """Called in watchdog's thread: marks the directories of both paths of an event as dirty."""
        found = set()
        for path in filter(None, (event.src_path, event.dest_path)):
            raw = path if isinstance(path, bytes) else os.fsencode(str(path))
            if os.fsencode(_OBJECTS) not in raw:
                found |= {raw.rpartition(b"/")[0], raw} if event.is_directory else {raw.rpartition(b"/")[0]}
        if found:
            with self._bell:
                self._dirty |= found
                self._bell.notify()

    def wait(self, timeout_s: float) -> tuple[Iterable[bytes], Iterable[str]]:
        """(dirty directories, no losses, because watchdog does not report them)."""
        with self._bell:
            self._bell.wait_for(lambda: self._dirty or self._rung, max(0.0, timeout_s))
            dirty, self._dirty, self._rung = self._dirty, set(), False
        return sorted(dirty), ()

    def wake(self) -> None:
        with self._bell:
            self._rung = True
            self._bell.notify()

    def close(self) -> None:
        self._observer.stop()
        self._observer.join(5)

    def _covers(self, dir: bytes) -> bool:
        inside = self._root in self._covered and (dir == self._root or dir.startswith(self._root + b"/"))
        return inside or dir in self._covered
