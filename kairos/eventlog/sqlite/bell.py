"""Waiting for the bell, a file that each append opens after its COMMIT."""

from __future__ import annotations

import os
from pathlib import Path

from kairos._native import Watcher
from kairos.privacy import make_private

POLL_S = 1.0
"""Seconds between reads of the log while the folder cannot be watched."""


class Bell:
    """A listener that watches the folder of the bell for the file being opened."""

    def __init__(self, folder: Path) -> None:
        make_private(folder)
        self._folder = os.fsencode(folder)
        self._watcher = Watcher()
        self._watched = self._watch()

    def wait(self, timeout_s: float) -> None:
        """Returns when the bell rings, `wake` is called or the timeout has passed; after at most `POLL_S` while the
        kernel has no free watch."""
        self._watched = self._watched or self._watch()
        self._watcher.wait(int((timeout_s if self._watched else min(timeout_s, POLL_S)) * 1000))

    def _watch(self) -> bool:
        return not self._watcher.add([self._folder], kind="opened")

    def wake(self) -> None:
        self._watcher.wake()

    def close(self) -> None:
        """Does nothing: the watch ends when the object is deleted."""
