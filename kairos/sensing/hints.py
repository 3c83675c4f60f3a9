"""Hints from inotify, through our own reader: which directories are dirty, and when events may have been lost.

If the kernel's watch limit is reached (ENOSPC), the remaining directories are polled; if its instance limit is reached
(EMFILE), all are. The status is then `degraded`.
"""

from __future__ import annotations

import errno
import math
import sys
from collections.abc import Iterable
from typing import Protocol

from kairos._native import Watcher, suspend_offset_ns

_SHORTAGE = frozenset({errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class Hints(Protocol):
    """A source of hints over absolute directories (bytes). One thread waits; any thread may wake it."""

    @property
    def watcher(self) -> Watcher | None: ...
    @property
    def watched(self) -> int: ...
    @property
    def polled(self) -> set[bytes]: ...
    @property
    def shortage(self) -> int: ...
    def missing(self, dirs: list[bytes]) -> list[bytes]: ...
    def confirm(self, dirs: list[bytes]) -> list[bytes]: ...
    def drop(self, dirs: list[bytes]) -> None: ...
    def wait(self, timeout_s: float) -> tuple[Iterable[bytes], Iterable[str]]: ...
    def wake(self) -> None: ...
    def close(self) -> None: ...


class InotifyHints:
    """Hints from the inotify instance that the process shares. `polled`: directories that could not be watched;
    `shortage`: the error number that says why."""

    def __init__(self) -> None:
        self._watcher = Watcher()
        self._polled: set[bytes] = set()
        self._shortage = 0

    @property
    def watcher(self) -> Watcher:
        """The watcher for walks, which watch each directory just before they read it."""
        return self._watcher

    @property
    def watched(self) -> int:
        return self._watcher.watched

    @property
    def polled(self) -> set[bytes]:
        return self._polled

    @property
    def shortage(self) -> int:
        return self._shortage

    def missing(self, dirs: list[bytes]) -> list[bytes]:
        """The directories of `dirs` that are neither watched nor polled."""
        return [dir for dir in self._watcher.missing(dirs) if dir not in self._polled]

    def confirm(self, dirs: list[bytes]) -> list[bytes]:
        """Watches the directories that a walk did not, and polls those that cannot be watched. Returns those watched
        only now, because changes since they were read have left no hint."""
        missing = self._watcher.missing(dirs)
        failed = dict(self._watcher.add(missing))
        late = [dir for dir in missing if dir not in failed]
        self._polled.difference_update(dirs)
        short = {dir: number for dir, number in failed.items() if number in _SHORTAGE}
        self._polled.update(short)
        self._shortage = next(iter(short.values()), self._shortage)
        return late

    def drop(self, dirs: list[bytes]) -> None:
        """Stops watching and polling exactly these directories, not those below them."""
        self._watcher.remove(dirs)
        self._polled.difference_update(dirs)

    def wait(self, timeout_s: float | None) -> tuple[Iterable[bytes], Iterable[str]]:
        """Waits until there are hints, `wake` is called or the timeout passes (None: there is none); returns (dirty
        directories, losses)."""
        return self._watcher.wait(None if timeout_s is None else math.ceil(max(0.0, timeout_s) * 1000))

    def wake(self) -> None:
        self._watcher.wake()

    def close(self) -> None:
        self._watcher.close()


def open_hints(observer: str, root: bytes) -> Hints:
    """The hint source that the configuration names; `auto` is inotify where it is available."""
    if observer == "watchdog" or (observer == "auto" and not sys.platform.startswith("linux")):
        from kairos.sensing.watchdog_hints import WatchdogHints

        return WatchdogHints(root)
    return InotifyHints()


class SuspendClock:
    """Detects that the machine was suspended: CLOCK_BOOTTIME advances during suspend, CLOCK_MONOTONIC does not."""

    JUMP_NS = 1_000_000_000

    def __init__(self) -> None:
        self._offset = suspend_offset_ns()

    def jumped(self) -> bool:
        """Whether the machine was suspended since the last call."""
        offset = suspend_offset_ns()
        slept = offset - self._offset > self.JUMP_NS
        self._offset = offset
        return slept
