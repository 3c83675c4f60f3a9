"""The wall clock, as the one place that reads it. Times are integer microseconds since the Unix epoch, UTC.

`KAIROS_CLOCK_FILE` names a file that holds seconds to add to the real time. Simulations and tests use it to
move a running daemon through nights; the file is read at every call, so moving is one write.
"""

from __future__ import annotations

import contextlib
import os
import time
from datetime import UTC, datetime, tzinfo
from pathlib import Path

SECOND = 1_000_000
DAY = 86_400 * SECOND
_FIRST, _LAST = -62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1


def now_us() -> int:
    """The current time in microseconds since the epoch, shifted by the clock file if one is named."""
    real = time.time_ns() // 1000
    shift = os.environ.get("KAIROS_CLOCK_FILE")
    if not shift:
        return real
    try:
        return real + round(float(Path(shift).read_text("ascii").strip() or 0) * SECOND)
    except FileNotFoundError:
        return real


def local_zone() -> tzinfo:
    """The zone that quiet hours and nightly jobs are meant in: TZ, else the machine's."""
    zone = datetime.now(UTC).astimezone().tzinfo
    name = os.environ.get("TZ", "").lstrip(":")
    if name:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            return zone or UTC
    localtime = Path("/etc/localtime")
    target = str(localtime.resolve()) if localtime.is_symlink() else ""
    if "zoneinfo/" in target:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        with contextlib.suppress(ZoneInfoNotFoundError, ValueError):
            return ZoneInfo(target.split("zoneinfo/", 1)[1])
    return zone or UTC


def rfc3339(at_us: int) -> str:
    """Microseconds since the epoch as RFC 3339 UTC with microseconds. A time before the year 1 or after 9999, which a
    foreign event may hold, is shown as the nearest there is."""
    seconds, micros = divmod(min(max(at_us, _FIRST), _LAST), SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{micros:06d}Z"


def parse_time(text: str) -> int:
    """RFC 3339 (or ISO date) to microseconds since the epoch; a time without zone is local. ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=local_zone())
    return round(moment.timestamp() * SECOND)
