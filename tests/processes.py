"""What runs on this machine, and waiting for what it does."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def running(word: str) -> dict[int, list[str]]:
    """The words of the command line of each process that has `word` in it, by its id."""
    found = {}
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = place.read_bytes().decode("utf-8", "replace")
        except OSError:
            continue  # it ended while we looked
        if word in line:
            found[int(place.parent.name)] = line.split("\0")
    return found


def until(condition: Callable[[], object], what: str = "what was awaited", seconds: float = 60.0) -> None:
    """Waits for a condition that nothing tells of."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come to pass within {seconds:g} s"
        time.sleep(0.01)
