"""One watched log as the daemon reads it: its lines, what was learnt of them, and the news that wait to be told."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from kairos.clock import now_us
from kairos.daemon.log_kept import LogKept
from kairos.domain.logs.entries import Entries
from kairos.domain.logs.past import LogNews, LogPast, LogPastState
from kairos.domain.logs.state import WatchedLog, kept_view
from kairos.eventlog.record import Put
from kairos.eventlog.views.projection import sealed
from kairos.sensing.log_file import LogFile

SETTLE_S, SETTLE_MOST_S = 2.0, 10.0
"""News is told when nothing new came for so long (s), at the latest after so long."""
ENTRY_S = 1.0
"""An entry is whole when nothing came after it for so long (s)."""
SAVE_S = 300.0
"""What was learnt is saved at most this often (s), and with what is told, and at the end."""
AT_ONCE = 4
"""So many chunks of one log are read before another has its turn."""


class FollowedLog(ABC):
    """A watched log. `work` reads what there is; `due` tells when news may be told."""

    def __init__(self, repo: str, watch: WatchedLog, kept: LogKept | None) -> None:
        self.repo, self.watch = repo, watch
        self._kept = kept or LogKept(source=watch.source, past=LogPastState())
        self._past = LogPast(self._kept.past, every=watch.every)
        self._entries = Entries()
        self._learning = False  # what is read is of the past, which is not told
        self._news: list[LogNews] = []
        self._first_news = self._last_news = self._last_line = 0.0
        self._save_at: float | None = None
        self._behind = True  # until all was read that was written while nobody read

    @property
    def why(self) -> str:
        """Why nothing can be read; empty if it can."""
        return self._kept.why

    @property
    @abstractmethod
    def _in_part(self) -> bool:
        """Whether only a part of the past was learnt: until it is whole it is not saved, and is learnt anew."""

    @property
    def directory(self) -> bytes | None:
        """The directory whose changes tell that there is more to read; None if it tells that itself."""
        return None

    @abstractmethod
    def work(self) -> bool:
        """Reads some of what there is; True if there is more."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of what is read."""

    def take(self, lines: Iterable[str]) -> None:
        """Takes lines that were read now."""
        for line in lines:
            self._last_line = time.monotonic()
            self._see(self._entries.take(line))

    def _see(self, entries: Iterable[list[str]]) -> None:
        learning = self._learning
        for lines in entries:
            now = time.monotonic()
            if self._save_at is None:
                self._save_at = now + SAVE_S
            news = self._past.see(lines, now_us(), learning=learning, behind=self._behind and not learning)
            if news is not None:
                self._first_news = self._first_news if self._news else now
                self._last_news = now
                self._news = [n for n in self._news if n.template.id != news.template.id] + [news]

    def due(self, *, ending: bool = False) -> tuple[list[LogNews], float | None]:
        """(the news to tell now, in how many seconds to ask again; None: not before there are new lines). `ending`: all
        that there is. The same news again until `saved`."""
        now, waits = time.monotonic(), []
        if self._entries.waiting:
            left = self._last_line + ENTRY_S - now
            if left <= 0 or ending:
                self._see(self._entries.flush())
            else:
                waits.append(left)
        if self._news:
            left = min(self._last_news + SETTLE_S, self._first_news + SETTLE_MOST_S) - now
            if left <= 0 or ending:
                return list(self._news), 0.0
            waits.append(left)
        elif self._save_at is not None and not self._in_part:
            waits.append(max(0.0, self._save_at - now))
        return [], min(waits, default=None)

    def unsaved(self, *, ending: bool = False) -> bool:
        """Whether what was learnt should be saved now. Not while news waits: it is saved with that. An entry that is
        not whole does not hinder it, as in a busy log one always is; after a crash that one is missing."""
        if self._save_at is None or self._news or self._in_part:
            return False
        return ending or time.monotonic() >= self._save_at

    def saving(self) -> Put:
        """The write that keeps what was learnt, with the place up to which it was."""
        self._kept.past = self._past.state()
        return Put(kept_view(self.repo), self.watch.name.encode(), sealed(msgspec.json.encode(self._kept)))

    def saved(self) -> None:
        """Call it after the write of `saving` was appended, with all news that was due."""
        self._save_at, self._news = None, []


class FollowedFile(FollowedLog):
    """A watched file. Its past is what is in it, and in the one that was rotated last, when the watch begins."""

    def __init__(self, repo: str, watch: WatchedLog, kept: LogKept | None) -> None:
        super().__init__(repo, watch, kept)
        self._file = LogFile(Path(watch.path), self._kept.place)
        self._past_lines = self._file.past() if kept is None else None
        self._learning = kept is None

    @property
    def _in_part(self) -> bool:
        return self._past_lines is not None

    @property
    def directory(self) -> bytes:
        """The directory of the file, or the nearest above it that there is."""
        place = self._file.path.parent
        while not os.path.isdir(place) and place != place.parent:  # noqa: PTH112  # Path's raises where none may enter
            place = place.parent
        return os.fsencode(place)

    def work(self) -> bool:
        """Reads some of what there is; True if there is more."""
        if self._past_lines is not None:
            return self._learn(self._past_lines)
        for _ in range(AT_ONCE):
            read = self._file.read()
            self.take(read.lines)
            if read.skipped or read.why != self._kept.why:
                self._kept.skipped += read.skipped
                self._kept.why = read.why
                self._save_at = 0.0
            self._behind = (self._behind and read.more) or bool(read.why)
            if not read.more:
                return False
        return True

    def _learn(self, past: Iterator[list[str]]) -> bool:
        for lines in past:
            self._see(e for line in lines for e in self._entries.take(line))
            return True
        self._see(self._entries.flush())
        self._past_lines, self._learning = None, False
        self._save_at = 0.0
        return True

    def due(self, *, ending: bool = False) -> tuple[list[LogNews], float | None]:
        if self._past_lines is not None and not ending:
            return [], 0.0  # what waits is of the past
        return super().due(ending=ending)

    def saving(self) -> Put:
        self._kept.place = self._file.place
        return super().saving()

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()
