"""Times as people type them: durations (`30m`, `2h`, `1d`) and moments (`tonight`, `tomorrow`, RFC 3339)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from kairos.clock import SECOND, local_zone, now_us, parse_time
from kairos.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_557_600}
_FAR_S = 100 * 366 * 86_400
_DIGITS = 6
_DURATION = re.compile(r"([0-9]{1,6})\s*([smhdwy])")
_SPELLED = re.compile(r"in\s+([0-9]{1,6})\s*(?:(s)ec(?:ond)?s?|(m)in(?:ute)?s?|(h)ours?|(d)ays?|(w)eeks?|([smhdw]))")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNTIL = "2h, in 10 minutes, 18:30, tonight, tomorrow, next-commit, evidence or a time such as 2026-05-01T09:00"
"""What a deferral is given."""
EVENING, MORNING = 20, 9
"""The local hours of `tonight` and `tomorrow`."""


def duration(text: str) -> int | None:
    """`90s`, `30m`, `2h`, `1d`, `1w`, `1y` in microseconds; None when it is not one. UsageError beyond a century."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return None
    seconds = int(match[1]) * _UNITS[match[2]]
    if seconds > _FAR_S:
        raise UsageError(f"`{text}` is more than a century", "Give a shorter time.")
    return seconds * SECOND


def ago(text: str, now: int) -> int:
    """A moment in the past: a duration before now, or a date or time. Microseconds. UsageError."""
    back = duration(text)
    if back is not None:
        return now - back
    return _moment(text, "a duration such as 2h, or a time such as 2026-05-01T09:00")


def until(text: str, now: int, zone: tzinfo) -> int | None:
    """A future time as `ahead` knows it; None for `next-commit`. Microseconds. UsageError."""
    if text.strip().lower() in ("next-commit", "next commit", "commit"):
        return None
    return ahead(text, now, zone, UNTIL)


def ahead(text: str, now: int, zone: tzinfo, expected: str) -> int:
    """A future time: a duration (`2h`, `in 2 hours`), the next `18:30`, `tonight` (20:00), `tomorrow` (09:00), a date
    or time. Microseconds. UsageError for anything else, with what is expected, and for a time in the past."""
    word = text.strip().lower()
    spelled = _SPELLED.fullmatch(word)
    length = duration(spelled[1] + next(filter(None, spelled.groups()[1:])) if spelled is not None else word)
    if length is not None:
        if not length:
            raise UsageError(f"`{text}` is no time at all", f"Give {expected}.")
        return now + length
    clock = _CLOCK.fullmatch(word)
    if word == "tomorrow":
        return _next(now, zone, MORNING, 0, days=1)
    if word == "tonight" or clock is not None:
        return _next(now, zone, *((int(clock[1]), int(clock[2])) if clock is not None else (EVENING, 0)))
    at = _moment(text, expected)
    if at <= now:
        raise UsageError(f"`{text}` is in the past", "Give a time in the future.")
    return at


def _next(now: int, zone: tzinfo, hour: int, minute: int, *, days: int = 0) -> int:
    """The next time (us) that a local clock shows so, `days` from today on."""
    local = datetime.fromtimestamp(now / SECOND, zone)
    moment = (local + timedelta(days=days)).replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)
    if moment <= local:
        moment += timedelta(days=1)
    return round(moment.timestamp() * SECOND)


def spoken(at: int, now: int, zone: tzinfo) -> str:
    """A moment near now as people say it: `today 14:03`, `yesterday 22:10`, `tomorrow 08:00`, `Mon 23 Nov 09:00`; with
    its year if that is another one. Local time."""
    moment, present = (datetime.fromtimestamp(t / SECOND, zone) for t in (at, now))
    days = (moment.date() - present.date()).days
    day = {0: "today", -1: "yesterday", 1: "tomorrow"}.get(days)
    if day is None:
        day = f"{_DAYS[moment.weekday()]} {moment.day} {_MONTHS[moment.month - 1]}"
        day += f" {moment.year}" if moment.year != present.year else ""
    return f"{day} {moment:%H:%M}"


def deferred_to(at: int | None, *, on_evidence: bool) -> str:
    """Until when a proposal is deferred, in words. `at`: as `ProposalDeferred.until`."""
    if at is not None:
        return spoken(at, now_us(), local_zone())
    return "what it rests on changes" if on_evidence else "the next commit"


def at_hand(text: str) -> str:
    """A time of an answer (RFC 3339) as people say it, as of now and here."""
    return spoken(parse_time(text), now_us(), local_zone())


def _moment(text: str, expected: str) -> int:
    if text.strip().isdecimal() and len(text.strip()) <= _DIGITS:
        raise UsageError(f"`{text}` has no unit", f"Say {text.strip()}m, {text.strip()}h or {text.strip()}d.")
    try:
        return parse_time(text.strip())
    except (ValueError, OverflowError):
        raise UsageError(f"`{text}` is not a time", f"Give {expected}.") from None
