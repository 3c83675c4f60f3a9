"""When a nightly job is due. Pure: instants in microseconds since the epoch, the zone passed in.

An occurrence is keyed by (job, scheduled instant). Only the newest missed instant is due, so a machine that slept
for a week dreams once; two instants closer than half a day are one (clocks going back, a change of zone).
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

HALF_DAY = 43_200_000_000


def latest_instant(at: tuple[int, int], now: int, zone: tzinfo) -> int:
    """The newest instant at or before `now` whose local time is (hour, minute); the first of two when clocks go
    back, the moved one when they go forward."""
    local = datetime.fromtimestamp(now / 1e6, zone)
    for back in range(3):
        day = (local - timedelta(days=back)).date()
        instant = round(datetime(day.year, day.month, day.day, *at, tzinfo=zone).timestamp() * 1e6)
        if instant <= now:
            return instant
    raise ValueError("no local time within three days")


def due(at: tuple[int, int] | None, begun: int, last: int | None, now: int, zone: tzinfo) -> int | None:
    """The scheduled instant to run now, None if nothing is due. `begun`: when the schedule began; `last`: the
    scheduled instant of the last occurrence, None before the first."""
    if at is None:
        return None
    instant = latest_instant(at, now, zone)
    if last is None:
        return instant if instant > begun else None
    return instant if instant - last >= HALF_DAY else None
