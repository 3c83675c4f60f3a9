"""Lines of a program's log as entries: what belongs together, when it was, how bad it says it is. Pure.

```
2026-12-01 10:00:00 ERROR app.db: request 41 failed     an entry begins: it has a stamp
Traceback (most recent call last):                      no stamp, so it belongs to the entry
  File "app/db.py", line 9, in get
ConnectionError: refused                                the last line that is not indented says what it was
2026-12-01 10:00:01 INFO  app: GET /health 200          the next entry
```
In a log without stamps only what is indented belongs to the line before it, and the lines of a traceback.
"""

from __future__ import annotations

import re
from calendar import timegm
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from kairos.domain.events import LogLevel
from kairos.domain.inert import escape

LONGEST_LINE = 4_096
"""A line is looked at up to here (characters)."""
_MOST_LINES, _MOST_TEXT = 40, 8_192
_HEAD = 160
"""The level and the stamp of a line stand in so many first characters."""

_MONTHS = {"JanFebMarAprMayJunJulAugSepOctNovDec"[3 * i : 3 * i + 3]: i + 1 for i in range(12)}
_ANSI = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_STAMPS = (
    re.compile(
        r"(?P<y>\d{4})[-/.](?P<mo>\d\d)[-/.](?P<d>\d\d)[T _-](?P<h>\d\d)[:.](?P<mi>\d\d)[:.](?P<s>\d\d)"
        r"(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d)\b)?"
    ),
    re.compile(r"(?:[A-Z][a-z]{2} )?(?P<mon>[A-Z][a-z]{2}) {1,2}(?P<d>\d{1,2}) (?P<h>\d\d):(?P<mi>\d\d):(?P<s>\d\d)"
               r"(?:\.\d{1,9})?(?: (?P<y>\d{4}))?"),
    re.compile(r"(?P<d>\d\d)/(?P<mon>[A-Z][a-z]{2})/(?P<y>\d{4})[: ](?P<h>\d\d):(?P<mi>\d\d):(?P<s>\d\d)"
               r"(?: [+-]\d{4})?"),
    re.compile(r"[IWEF](?P<mo>\d\d)(?P<d>\d\d) (?P<h>\d\d):(?P<mi>\d\d):(?P<s>\d\d)(?:\.\d{1,9})?"),
    re.compile(r"(?P<epoch>1[0-9]{9})(?:[0-9]{3})?(?:\.\d{1,9})?(?=[\s\]])"),
    re.compile(r"(?P<h>\d\d):(?P<mi>\d\d):(?P<s>\d\d)(?:[.,]\d{1,9})?\b"),
)  # fmt: skip
_LEVEL = re.compile(
    r"\b(?:TRACE|DEBUG|FINE|INFO|NOTICE|WARN|ERR|SEVERE|CRIT|FATAL|ALERT|EMERG|PANIC)[A-Z]{0,7}\b"
    r"|(?:level=\"?|severity=\"?|\[)(?:[a-z_0-9]{1,20}:)?[a-z]{3,11}(?=[]\"\s])"
    r"|(?<![\w.])(?:trace|debug|info|notice|warn|warning|error|critical|fatal|panic)(?=:)"
)
_NO_YEAR = 1972
"""The year of a stamp that has none: a leap year, before any log."""
_YEARS_BEGIN = timegm((_NO_YEAR + 1, 1, 1, 0, 0, 0))
_AHEAD_S = 86_400
"""A stamp may be ahead by so much: it is of a place with another time."""
_NO_WORD = re.compile("[^A-Za-z]")
_LEVELS: dict[str, LogLevel] = {
    **dict.fromkeys(("trace", "debug", "fine", "info", "information", "notice"), "quiet"),
    **dict.fromkeys(("warn", "warning"), "warning"),
    **dict.fromkeys(
        ("err", "error", "severe", "crit", "critical", "fatal", "alert", "emerg", "panic", "dpanic"), "error"
    ),
}
_KLOG: dict[str, LogLevel] = {"I": "quiet", "W": "warning", "E": "error", "F": "error"}
_TRACEBACK = re.compile(r"^(?:Traceback \(most recent call last\):|goroutine \d|thread '|Exception in thread )")
_CAUSE = re.compile(r"^(?:Caused by: |During handling of |The above exception |[\w.$]{3,80}(?:Error|Exception|Exit)\b)")
_BRACKETS = " \t[(<>)]|-:,;"


class SaidEntry(NamedTuple):
    """An entry. `text`: what it says in one line, without its stamp; `level`: how bad it says it is, `quiet` for
    information and less, empty if it does not say; `example`: its first lines as they were, safe to
    show; `at`: its own stamp (seconds; comparable within one log only), None if it has none."""

    text: str
    example: str
    level: LogLevel = ""
    at: int | None = None


class Entries:
    """Joins lines to entries. An entry ends where the next begins, or with `flush`."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._size = 0
        self._stamped = self._traced = False
        self._form = 0

    @property
    def waiting(self) -> bool:
        """Whether an entry has begun and not ended."""
        return bool(self._lines)

    def take(self, line: str) -> list[list[str]]:
        """The lines of each entry that ends with this line: none or one."""
        line = _ANSI.sub("", line[:LONGEST_LINE]).rstrip()
        if not line:
            return []
        stamped = _STAMPS[self._form].match(line) is not None
        if not stamped:
            found = _stamp(line)
            stamped = found is not None
            self._form = _STAMPS.index(found.re) if found is not None else self._form
        if self._lines and self._belongs(line, stamped):
            if len(self._lines) < _MOST_LINES and self._size < _MOST_TEXT:
                self._lines.append(line)
                self._size += len(line)
            elif not line[0].isspace():
                self._lines[-1] = line  # what it was in the end
            return []
        ended = self.flush()
        self._lines, self._size, self._stamped = [line], len(line), stamped
        self._traced = _TRACEBACK.match(line) is not None
        return ended

    def flush(self) -> list[list[str]]:
        """The lines of the entry that has begun, if there is one."""
        lines, self._lines = self._lines, []
        return [lines] if lines else []

    def _belongs(self, line: str, stamped: bool) -> bool:
        if stamped:
            return False
        if self._stamped or line[0].isspace():
            return True
        if self._traced:
            self._traced = line[0].isspace() or _TRACEBACK.match(line) is not None
            return True
        return _CAUSE.match(line) is not None and len(self._lines) > 1


def entry_of(lines: list[str]) -> SaidEntry:
    """The lines of one entry, at least one, as an entry."""
    head = lines[0]
    found = _json(head) if head.startswith("{") else None
    stamp = _stamp(head)
    text, level, at = head, _level(head), None
    if found is not None:
        text, level = found
    elif stamp is not None:
        text, at = _without(head, stamp), _seconds(stamp)
        level = level or (_KLOG.get(head[:1], "") if head[1:5].isdigit() else "")
    rest = lines[1:]
    traced = any(_TRACEBACK.match(line) for line in lines) or any(line.lstrip().startswith("at ") for line in rest)
    cause = next((line for line in reversed(rest) if not line[0].isspace() and not _TRACEBACK.match(line)), "")
    if traced:
        level = "error"
        text = cause if _TRACEBACK.match(text) and cause else f"{text} {cause}" if cause else text
    return SaidEntry(text.strip(), escape("\n".join(lines), lines=True), level, at)


def with_year(at: int, now: int) -> int:
    """The moment of a stamp (s) seen at a moment (s): one without a year is of the last twelve months."""
    if at >= _YEARS_BEGIN or now < _YEARS_BEGIN:
        return at
    moment, year = datetime.fromtimestamp(at, UTC).timetuple()[1:6], datetime.fromtimestamp(now, UTC).year
    found = timegm((year, *moment))
    return found if found <= now + _AHEAD_S else timegm((year - 1, *moment))


def _stamp(line: str) -> re.Match[str] | None:
    """The stamp with which a line begins, after at most a few words (a host, a level) in a syslog or access line."""
    head = line[:_HEAD]
    start = len(head) - len(head.lstrip(_BRACKETS))
    for pattern in _STAMPS:
        found = pattern.match(head, start)
        if found is not None:
            return found
    for pattern in _STAMPS[:3]:
        found = pattern.search(head)
        if found is not None and head[0] not in " \t" and found.start() <= 64:
            return found
    return None


def _without(line: str, stamp: re.Match[str]) -> str:
    before = line[: stamp.start()].strip(_BRACKETS)
    return f"{before} {line[stamp.end() :].lstrip(_BRACKETS)}".strip()


def _seconds(stamp: re.Match[str]) -> int | None:
    found = stamp.groupdict()
    if "epoch" in found:
        return int(found["epoch"])
    if "d" not in found:
        return None
    month = _MONTHS.get(found.get("mon") or "", 0) or int(found.get("mo") or 0)
    year, day = int(found.get("y") or _NO_YEAR), int(found["d"])
    if not (1 <= month <= 12 and 1 <= day <= 31 and year >= 1970):
        return None
    return timegm((year, month, day, int(found["h"]), int(found["mi"]), int(found["s"])))


def _level(line: str) -> LogLevel:
    for found in _LEVEL.finditer(line[:_HEAD]):
        level = _LEVELS.get(_NO_WORD.sub("", found.group().rpartition(":")[2].rpartition("=")[2]).lower())
        if level is not None:
            return level
    return ""


_WORDS = ("level", "severity", "lvl", "log.level", "levelname")
_SAID = ("msg", "message", "event", "error", "err", "exception", "exc_info")


def _json(line: str) -> tuple[str, LogLevel] | None:
    """(what a line in JSON says, its level), None if it is none. A number is a level of pino or bunyan."""
    try:
        found: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    word = next((found[key] for key in _WORDS if key in found), "")
    if isinstance(word, int):
        level: LogLevel = "error" if word >= 50 else "warning" if word >= 40 else "quiet"
    else:
        level = _LEVELS.get(str(word).lower(), "")
    said = [_plain(found[key]) for key in _SAID if found.get(key)]
    return (" ".join(said), level) if said else None


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        value = " ".join(str(value[key]) for key in ("type", "name", "message") if key in value)
    return " ".join(str(value)[:LONGEST_LINE].split())
