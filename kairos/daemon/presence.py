"""The daemon's claim on a home: a lock that dies with the process, and a status file for quick readers."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kairos.errors import Locked
from kairos.settings import Home, replace_file


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
    lock = os.open(home.daemon_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _lock(lock):
            raise Locked(
                f"another Kairos daemon (pid {_pid(home.daemon_lock)}) already runs on {home.data}",
                "`kairos status` shows it, `kairos stop` ends it.",
            )
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)


def running(home: Home) -> int | None:
    """The pid of the daemon that holds the home, None when none does."""
    try:
        lock = os.open(home.daemon_lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _pid(home.daemon_lock)
    finally:
        os.close(lock)
    return None


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


def _lock(lock: int) -> bool:
    """Takes the lock, with a moment's patience: a quick reader may be testing it just now."""
    deadline = time.monotonic() + 0.3
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        else:
            return True


def _pid(lock: Path) -> int:
    text = lock.read_text("ascii", "replace").strip()
    return int(text) if text.isdigit() else 0
