"""The daemon's claim on a home: a lock that dies with the process, and a status file for quick readers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kairos.durable import is_locked, locked, replace_file
from kairos.errors import Locked
from kairos.home import Home

_PATIENCE_S = 0.3
"""A quick reader may be testing the lock just now."""


class RepoStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One watched repository. state: watching | degraded | lost | stopped; counts of directories; `why` it is degraded
    or lost, and what a person can do about it."""

    path: str
    state: str
    directories: int
    watched: int
    polled: int
    ignored: int
    why: str | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What the running daemon says of itself."""

    pid: int
    program: str
    repos: list[RepoStatus]


@contextmanager
def claim(home: Home) -> Iterator[None]:
    """Holds the home for this process. Locked (11) at once if another daemon has it."""
    home.prepare()

    def busy() -> Locked:
        return Locked(
            f"another Kairos daemon (pid {_pid(home.daemon_lock)}) already runs on {home.data}",
            "`kairos status` shows it, `kairos stop` ends it.",
        )

    with locked(home.daemon_lock, busy, wait_s=_PATIENCE_S) as lock:
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
        home.status_file.unlink(missing_ok=True)  # what a killed daemon leaves is how the doctor knows of it


def running(home: Home) -> int | None:
    """The pid of the daemon that holds the home, None when none does."""
    return _pid(home.daemon_lock) if is_locked(home.daemon_lock) else None


def publish(home: Home, status: Status) -> None:
    """Replaces the status file if it would change."""
    content = msgspec.json.encode(status)
    if not home.status_file.exists() or home.status_file.read_bytes() != content:
        replace_file(home.status_file, content)


def read_status(home: Home) -> Status | None:
    """What the running daemon last said; None when no daemon runs, or it has said nothing yet."""
    pid = running(home)
    if pid is None:
        return None
    try:
        status = msgspec.json.decode(home.status_file.read_bytes(), type=Status)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    return status if status.pid == pid else None


def _pid(lock: Path) -> int:
    text = lock.read_text("ascii", "replace").strip()
    return int(text) if text.isdigit() else 0
