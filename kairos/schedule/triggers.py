"""When a job is due. Pure: instants in microseconds since the epoch, the zone passed in.

APScheduler's cron triggers give the local wall-clock times at which a job is due. This module maps them to instants:
the first of two where clocks go back, the shifted one where they go forward. (With a zone, the trigger of 3.11 fires
twice on the night the clocks go back, and just after midnight it skips the day after they went forward.)

An occurrence is keyed by (job, scheduled instant). Only the newest missed instant is due, so a machine that slept
for a week dreams once. Instants closer together than half the interval to the next one are the same occurrence, so a
change of zone repeats none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeAlias

from apscheduler.triggers.cron import CronTrigger

Cron: TypeAlias = CronTrigger
"""The local wall-clock times at which a job is due."""

_SHIFT = timedelta(hours=3)
"""Upper limit of a single clock change in any zone."""
_SPANS = tuple(timedelta(days=days) for days in (0, 1, 7, 31, 366, 8 * 366))
_TICK = timedelta(microseconds=1)


def daily(at: tuple[int, int]) -> Cron:
    """Every day at a local (hour, minute)."""
    return CronTrigger(hour=at[0], minute=at[1], timezone=UTC)


def latest_instant(cron: Cron, now: int, zone: tzinfo) -> int | None:
    """The newest instant (us) at or before `now`; None if there is none within about 8 years."""
    wall = _wall(now, zone)
    for span in _SPANS:
        found = [i for i in _instants(cron, wall - span - _SHIFT, wall + _SHIFT, zone) if i <= now]
        if found:
            return max(found)
    return None


def next_instant(cron: Cron, now: int, zone: tzinfo) -> int | None:
    """The first instant (us) after `now`; None if there is none within about 8 years."""
    wall = _wall(now, zone)
    for span in _SPANS:
        found = [i for i in _instants(cron, wall - _SHIFT, wall + span + _SHIFT, zone) if i > now]
        if found:
            return min(found)
    return None


def due(cron: Cron, begun: int, done: Collection[int], now: int, zone: tzinfo) -> int | None:
    """The scheduled instant to run now; None if nothing is due. `begun`: instants up to this time are not made up for.
    `done`: the instants of remembered occurrences. Each covers all instants before it; one in the future, recorded
    before the clock was set back, covers only itself."""
    instant = latest_instant(cron, now, zone)
    if instant is None or instant <= begun:
        return None
    following = next_instant(cron, instant, zone)
    apart = 1 if following is None else (following - instant) // 2
    covered = any(instant - one < apart if one <= now else one - instant < apart for one in done)
    return None if covered else instant


def _instants(cron: Cron, first: datetime, last: datetime, zone: tzinfo) -> Iterator[int]:
    """The instants (us) of the wall-clock times from `first` to `last`; both are given without the zone."""
    wall = cron.get_next_fire_time(None, first)
    while wall is not None and wall <= last:
        yield round(wall.replace(tzinfo=zone, fold=0).timestamp() * 1e6)
        wall = cron.get_next_fire_time(None, wall + _TICK)


def _wall(at: int, zone: tzinfo) -> datetime:
    """The local wall-clock time of an instant (us), labelled as UTC so that it can be used without the zone."""
    return datetime.fromtimestamp(at / 1e6, zone).replace(tzinfo=UTC, fold=0)
