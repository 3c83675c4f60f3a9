"""The salt of the keys of findings. All homes of a shared log use the same salt, so that a finding has one key.

The salt of a shared log is stored in the database but outside the log, so no export, segment or event contains it.
"""

from __future__ import annotations

import os
import time

from kairos.errors import TryAgain
from kairos.eventlog.leases import holder, holding
from kairos.eventlog.log import Log
from kairos.eventlog.record import Put
from kairos.home import Home

VIEW, _KEY = "salt", b"salt"
_LEASE_S, _PATIENCE_S = 2.0, 5.0


def salt_of(log: Log, home: Home) -> bytes:
    """The salt of the log of this home; for a shared log, the first home's. TryAgain while another home creates it."""
    if not log.shared:
        return home.salt()
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        kept = log.view_row(VIEW, _KEY) or _made(log, home)
        if kept is not None:
            return kept
        if time.monotonic() > deadline:
            raise TryAgain("another home is creating this log", "Try again in a moment.")
        time.sleep(0.05)


def _made(log: Log, home: Home) -> bytes | None:
    """The salt, created if there is none; None while another home creates it."""
    with holding(log, VIEW, holder(log.owner, os.getpid()), _LEASE_S) as alone:
        kept = log.view_row(VIEW, _KEY)
        if kept is None and alone:
            kept = home.salt()
            log.append([], writes=[Put(VIEW, _KEY, kept)])
    return kept
