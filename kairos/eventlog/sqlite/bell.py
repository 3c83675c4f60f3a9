"""Waiting for the bell that each append rings after its COMMIT."""

from __future__ import annotations

import os
from pathlib import Path

from kairos._native import Watcher
from kairos.privacy import make_private

POLL_S = 1.0
"""So often a follower looks for itself while the folder cannot be watched."""


class Bell:
    """Watches the folder of the bell: each append opens the bell after its COMMIT."""

    def __init__(self, folder: Path) -> None:
        make_private(folder)
        self._folder = os.fsencode(folder)
        self._watcher = Watcher()
        self._watched = self._watch()

    def wait(self, timeout_s: float) -> None:
        """Returns when the bell is rung, `wake` is called or the time is over; sooner while the kernel has no watch to
        give."""
        self._watched = self._watched or self._watch()
        self._watcher.wait(int((timeout_s if self._watched else min(timeout_s, POLL_S)) * 1000))

    def _watch(self) -> bool:
        return not self._watcher.add([self._folder], kind="opened")

    def wake(self) -> None:
        self._watcher.wake()

    def close(self) -> None:
        """The watch ends with the object."""
