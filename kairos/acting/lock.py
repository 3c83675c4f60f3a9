"""The lock that an execution holds from gate to outcome: one execution or recovery at a time per home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kairos.durable import locked
from kairos.errors import TryAgain
from kairos.home import Home
from kairos.privacy import make_private


@contextmanager
def exec_lock(home: Home, *, wait_s: float = 30.0) -> Iterator[None]:
    """Holds `exec.lock`, which the kernel releases if the process dies. TryAgain (75) if another process holds it for
    longer than `wait_s` seconds."""
    make_private(home.exec_lock.parent)
    busy = TryAgain("another action is being carried out", "Try again when it is done: `kairos status`.")
    with locked(home.exec_lock, lambda: busy, wait_s=wait_s):
        yield
