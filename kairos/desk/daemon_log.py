"""The daemon's own log, for reading."""

from __future__ import annotations

from collections import deque

from kairos.daemon.daemon_log import former
from kairos.desk.desk import Desk
from kairos.desk.records.repositories import DaemonLogOut


def recent(desk: Desk, most: int) -> DaemonLogOut:
    """The last lines of the daemon's log, oldest first; none if no daemon ever ran."""
    file = desk.home.daemon_log
    lines: deque[str] = deque(maxlen=most)
    for path in (former(file), file):
        if path.exists():
            with path.open(encoding="utf-8", errors="replace") as opened:
                lines.extend(line.rstrip("\n") for line in opened)
    return DaemonLogOut(path=str(file), lines=list(lines))
