"""The daemon's own log: one line with a time for each thing that happened to it, in a file that stays small.

What it watched and decided is in the event log. Here is what a person asks of a process that runs for months: since
when, over what, and what went wrong. `kairos start` sends the daemon's standard streams to the same file.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kairos.clock import local_time, local_zone, now_us
from kairos.domain.inert import escape
from kairos.domain.secrets import redact
from kairos.privacy import open_private

MOST_BYTES = 1 << 20
"""Of the file; then it becomes `daemon.log.1`, in place of the one before."""
_LONGEST = 4_000
_STREAMS = (1, 2)
READY = "ready"


class DaemonLog:
    """Appends lines to the log of the daemon. Safe from any thread; a line that cannot be written is lost."""

    def __init__(self, path: Path, most: int = MOST_BYTES) -> None:
        self._path = path
        self._most = most
        self._lock = threading.Lock()
        turn_over(path, most)
        self._file = _opened(path)
        self.has_streams = _same(2, self._file)
        """Whether standard error is this file: then nothing else need be printed there."""

    def note(self, text: str) -> None:
        """Writes what happened as one line: redacted, inert, and cut if it is very long."""
        words = " | ".join(filter(None, (line.strip() for line in redact(text).splitlines())))
        shown = escape(words[:_LONGEST]) + ("…" if len(words) > _LONGEST else "")
        line = f"{local_time(now_us(), local_zone())} [{os.getpid()}] {shown}\n"
        with self._lock, suppress(OSError):  # a full disk must not end the daemon; nobody reads a line that is lost
            if not _same_path(self._path, self._file) or os.fstat(self._file).st_size > self._most:
                self._begin_anew()
            os.write(self._file, line.encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        os.close(self._file)

    def _begin_anew(self) -> None:
        """Goes on in a new file, with the standard streams if they went to the old one."""
        turn_over(self._path, self._most)
        fresh = _opened(self._path)
        for stream in _STREAMS:
            if _same(stream, self._file):
                os.dup2(fresh, stream)
        os.close(self._file)
        self._file = fresh


class DaemonLogHandler(logging.Handler):
    """Passes what the rooms log by Python's logging on, as one line each."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._note = note

    def emit(self, record: logging.LogRecord) -> None:
        self._note(f"{record.levelname.lower()}: {record.getMessage()}")


def former(path: Path) -> Path:
    """The file that holds the lines before those of `path`."""
    return path.with_name(f"{path.name}.1")


def turn_over(path: Path, most: int = MOST_BYTES) -> None:
    """Renames the file to its former name if it is large."""
    with suppress(OSError):
        if path.stat().st_size > most:
            path.replace(former(path))


def _opened(path: Path) -> int:
    return open_private(path, os.O_WRONLY | os.O_APPEND)


def _same(one: int, other: int) -> bool:
    try:
        return os.path.sameopenfile(one, other)
    except OSError:
        return False  # the stream is closed


def _same_path(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except OSError:
        return False  # it was removed, by hand or by `forget`
