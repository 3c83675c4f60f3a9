"""What errors of the file system and of databases mean for a person."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

from kairos.desk.desk import Desk
from kairos.durable import FULL
from kairos.errors import KairosError, TryAgain, UsageError

_BARRED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP)
"""A file cannot be reached: because of permissions, a read-only disk, or a file where a directory should be."""


def known(desk: Desk, error: Exception) -> KairosError | None:
    """The error to report instead; None for an unknown one, which is a defect."""
    if isinstance(error, OSError):
        return _of_files(error)
    if isinstance(error, sqlite3.Error) or type(error).__module__.startswith("psycopg"):  # may not be installed
        return _of_storage(desk, error)
    return None


def _of_storage(desk: Desk, error: Exception) -> KairosError | None:
    try:
        with desk.errors():
            raise error
    except KairosError as meant:
        return meant


def _of_files(error: OSError) -> KairosError | None:
    if error.errno in FULL:
        return TryAgain("the disk is full; nothing was done", "Free some space and try again.")
    if error.errno in _BARRED and error.filename is not None:
        where = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else str(error.filename)
        return UsageError(f"{where}: {error.strerror}", "Fix this, or choose another directory with --home.")
    if isinstance(error, FileNotFoundError) and not _is_here():
        return UsageError("the current directory is gone", "Change to one that exists.")
    return None


def _is_here() -> bool:
    """Whether the current directory exists."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True
