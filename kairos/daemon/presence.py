"""The daemon's claim on a home: a lock that ends with the process, and a status file for quick readers."""

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
"""Seconds to wait for the lock, because a quick reader may be testing it."""


class RepoStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status of one watched repository: its state (watching | degraded | lost | stopped), counts of directories,
    `why` it is degraded or lost, and what a person can do about it."""

    path: str
    state: str
    directories: int
    watched: int
    polled: int
    ignored: int
    why: str | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The status that the running daemon publishes."""

    pid: int
    program: str
    repos: list[RepoStatus]


@contextmanager
def claim(home: Home) -> Iterator[None]:
    """Holds the home for this process. Raises Locked (11) without waiting if another daemon holds it."""
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
        home.status_file.unlink(missing_ok=True)  # a file that remains tells the doctor that a daemon was killed


def running(home: Home) -> int | None:
    """The pid of the daemon that holds the home, None if no daemon does."""
    return _pid(home.daemon_lock) if is_locked(home.daemon_lock) else None


def publish(home: Home, status: Status) -> None:
    """Replaces the status file if its content changes."""
    content = msgspec.json.encode(status)
    if not home.status_file.exists() or home.status_file.read_bytes() != content:
        replace_file(home.status_file, content)


def read_status(home: Home) -> Status | None:
    """The last status of the running daemon; None if no daemon runs or it has not published one yet."""
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
