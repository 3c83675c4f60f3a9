"""The lock that is held from gate to outcome: one execution at a time in one home, and recovery only under it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kairos.errors import TryAgain
from kairos.privacy import make_private
from kairos.settings import Home


@contextmanager
def exec_lock(home: Home, *, wait_s: float = 30.0) -> Iterator[None]:
    """Holds `exec.lock`. The kernel releases it when the process dies. TryAgain (75) if another keeps it longer."""
    make_private(home.exec_lock.parent)
    lock = os.open(home.exec_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TryAgain(
                        "another action is being carried out", "Try again when it is done: `kairos status`."
                    ) from None
                time.sleep(0.01)
        yield
    finally:
        os.close(lock)
