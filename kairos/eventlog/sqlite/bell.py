"""Waiting for the bell that each append rings after its COMMIT."""

from __future__ import annotations

import os
from pathlib import Path

from kairos._native import Watcher
from kairos.privacy import make_private


class Bell:
    """Watches the folder of the bell: each append opens the bell after its COMMIT."""

    def __init__(self, folder: Path) -> None:
        make_private(folder)
        self._watcher = Watcher()
        self._watcher.add([os.fsencode(folder)], opened=True)

    def wait(self, timeout_s: float) -> None:
        self._watcher.wait(int(timeout_s * 1000))

    def wake(self) -> None:
        self._watcher.wake()

    def close(self) -> None:
        """The kernel ends the watch with the object."""
