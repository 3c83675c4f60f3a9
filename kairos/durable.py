"""Durable file operations and locks: atomic replacement of files, syncing of folders, locks between processes."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kairos.errors import KairosError, TryAgain
from kairos.privacy import open_private

FULL = (errno.ENOSPC, errno.EDQUOT)
"""The error numbers of a full disk or an exceeded quota."""
_PAUSE_S = 0.01


def replace_file(path: Path, content: bytes) -> None:
    """Replaces a file atomically and durably, by one that only its owner reads: temporary file, fsync, rename, fsync
    of the directory."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(open_private(temporary, os.O_WRONLY | os.O_TRUNC), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise TryAgain(f"{path} cannot be written: {error.strerror}", "Free space or check its permissions.") from error


def sync_folder(path: Path) -> None:
    """Makes the entries of a folder durable: names that were added and names that were removed."""
    folder = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def locked(
    path: Path, busy: Callable[[], KairosError] | None = None, *, wait_s: float = 0.0, folder: bool = False
) -> Iterator[int]:
    """Holds the lock on a file, created if absent, or on an existing folder; yields its handle. The kernel releases the
    lock when the process dies. Raises what `busy` makes if another process still holds it after `wait_s` seconds;
    without `busy` it waits without limit. OSError if the file cannot be opened."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if folder else open_private(path, os.O_RDWR)
    try:
        if busy is None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        elif not _taken(handle, time.monotonic() + wait_s):
            raise busy()
        yield handle
    finally:
        os.close(handle)


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock on a file. Does not create the file."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)


def _taken(handle: int, deadline: float) -> bool:
    while not _try(handle, fcntl.LOCK_EX):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE_S)
    return True


def _try(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
