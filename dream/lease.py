"""One dream at a time: a file lock on this machine, released when its process dies, and a lease in the log for other
machines."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kairos.clock import SECOND
from kairos.durable import locked
from kairos.errors import TryAgain
from kairos.eventlog.leases import holder, holding
from kairos.eventlog.log import Log
from kairos.memory.claims import Claims

LEASE_US = 900 * SECOND
SHARED_S = 30.0
"""Seconds after which the lease of a dead dream on a shared log expires; a running dream renews it."""


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Holds the dream's lock file. TryAgain (75) while another process on this machine dreams."""
    with locked(path, lambda: TryAgain("another dream is running", "Wait for it to end.")):
        yield


@contextmanager
def among_homes(log: Log) -> Iterator[None]:
    """Holds the dream lease of a shared log, and fences its appends. TryAgain (75) while another home dreams."""
    with holding(log, "dream", holder(log.owner, os.getpid()), SHARED_S) as mine:
        if not mine:
            raise TryAgain("another home is dreaming", "Wait for it to end.")
        yield


def host() -> str:
    """The name under which this machine takes leases."""
    return platform.node()


def check(claims: Claims, now: int) -> None:
    """TryAgain while another machine's lease is valid. A lease of this machine was left by a dream that died, because
    the caller holds the lock: it is taken over, and so is an expired one."""
    if claims.lease_until > now and claims.lease_host != host():
        left = (claims.lease_until - now) // SECOND
        raise TryAgain(f"another machine is dreaming (its lease ends in {left} s)", "Wait for it to end.")
