"""The wall clock; no other module reads it. Times are integer microseconds since the Unix epoch, UTC.

`KAIROS_CLOCK_FILE` names a file that holds seconds to add to the real time. Simulations and tests use it to move a
running daemon through nights; the file is read at every call, so one write moves the clock.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from kairos.errors import UsageError

SECOND = 1_000_000
DAY = 86_400 * SECOND
_LONGEST_SHIFT, _FARTHEST_S = 64, 100 * 366 * 86_400
_FIRST, _LAST = -62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1


def now_us() -> int:
    """The current time in microseconds since the epoch, shifted by the clock file if one is named."""
    return machine_us() + shift_us()


def machine_us() -> int:
    """The time of the machine's own clock, in microseconds since the epoch."""
    return time.time_ns() // 1000


def shift_us() -> int:
    """By how much `now_us` is ahead of the machine's clock."""
    file = os.environ.get("KAIROS_CLOCK_FILE")
    if not file:
        return 0
    try:
        with Path(file).open("rb") as opened:
            seconds = float(opened.read(_LONGEST_SHIFT).decode("ascii").strip() or 0)
        if not abs(seconds) <= _FARTHEST_S:
            raise ValueError
        return round(seconds * SECOND)
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} is not a number of seconds", "Correct it, or unset KAIROS_CLOCK_FILE.") from error


def local_zone() -> tzinfo:
    """The time zone of quiet hours and nightly jobs: TZ (a name or a file), else the machine's zone. Call it each time,
    because the zone changes when a person travels."""
    name = os.environ.get("TZ", "").lstrip(":")
    zone = _zone(Path("/usr/share/zoneinfo", name) if name else Path("/etc/localtime"))
    return zone or datetime.now(UTC).astimezone().tzinfo or UTC


def _zone(path: Path) -> tzinfo | None:
    """The zone that a file describes: by name if the file is in the system's zoneinfo directory, else from its
    content."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    place = os.path.realpath(path)
    try:
        if "/zoneinfo/" in place:
            return ZoneInfo(place.split("/zoneinfo/", 1)[1])
        with Path(place).open("rb") as file:
            return ZoneInfo.from_file(file, key=place)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def rfc3339(at_us: int) -> str:
    """Microseconds since the epoch as RFC 3339 UTC with microseconds. A time before the year 1 or after 9999, which a
    foreign event may hold, is clamped to the nearest representable one."""
    seconds, micros = divmod(min(max(at_us, _FIRST), _LAST), SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{micros:06d}Z"


def local_time(at_us: int, zone: tzinfo) -> str:
    """Microseconds since the epoch as RFC 3339 with the offset of a zone, in seconds: `2026-05-01T09:00:00+02:00`."""
    seconds = min(max(at_us, _FIRST + DAY), _LAST - DAY) // SECOND  # so that every zone can represent it
    return datetime.fromtimestamp(seconds, zone).isoformat(timespec="seconds")


def parse_time(text: str) -> int:
    """RFC 3339 (or ISO date) to microseconds since the epoch; a time without zone is local. ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=local_zone())
    return round(moment.timestamp() * SECOND)
