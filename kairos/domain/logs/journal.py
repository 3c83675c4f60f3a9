"""The journal of a unit of systemd, as `journalctl --output=short-iso` prints it. Pure.

```
2026-12-01T10:00:00+0000 host app[41]: ERROR the disk is full      the next --since is the second of this entry,
2026-12-01T10:00:00+0000 host app[41]: retrying                    of which two lines were read: they are skipped
                                       in 5 s                      (belongs to the line above)
-- Boot 5d7f... --                                                 journalctl's own word, no line of the unit
```
Format: journalctl(1), "short-iso". Whole seconds only, so that lines of the last second are counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import msgspec

PAST_LINES = 2_000
"""So many lines of a journal are its past when a watch begins."""
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:?\d\d) ")
_OWN_WORD = "-- "


class JournalPlace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place in a journal: after `same` entries of the second `at` (s since 1970). 0: nothing was read yet."""

    at: int = 0
    same: int = 0


def journal_argv(program: str, unit: str, *, user: bool, place: JournalPlace) -> list[str]:
    """The command that prints the journal of a unit from a place on, or its last lines, and goes on."""
    begin = [f"--since=@{place.at}", "--no-tail"] if place.at else [f"--lines={PAST_LINES}"]
    whose = "--user-unit" if user else "--unit"
    return [program, f"{whose}={unit}", "--follow", "--output=short-iso", "--no-pager", *begin]


class JournalLines:
    """Follows the lines of a journal from a place on."""

    def __init__(self, place: JournalPlace) -> None:
        self.place = place
        self._text, self._skips, self._skipped = "", 0, False

    def begin(self) -> None:
        """Call it when `journalctl` begins at the place: it prints what was read of that second again."""
        self._skips = self.place.same

    def unread(self, lines: Sequence[str]) -> list[str]:
        """The lines that were not read before; the place is then after them."""
        return [line for line in lines if self.take(line)]

    def take(self, line: str) -> bool:
        """Moves the place after a line. False for one that was read before, or that is none of the unit."""
        if line.startswith(_OWN_WORD):
            return False
        stamp = _STAMP.match(line)
        if stamp is None:  # it belongs to the entry before it
            return not self._skipped
        if stamp[1] != self._text:
            self._text, at = stamp[1], _seconds(stamp[1])
            if at is not None and at != self.place.at:
                self.place, self._skips = JournalPlace(at=at), 0
        self._skipped = self._skips > 0
        if self._skipped:
            self._skips -= 1
            return False
        self.place = JournalPlace(at=self.place.at, same=self.place.same + 1)
        return True


def _seconds(stamp: str) -> int | None:
    try:
        return int(datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S%z").timestamp())
    except ValueError:
        return None  # no such day: the entry is taken as one of the second before
