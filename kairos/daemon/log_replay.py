"""A log file read as if live: its first half is learnt, and of the second it is said what would have been told."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from kairos.domain.logs.entries import Entries, entry_of
from kairos.domain.logs.past import LogNews, LogPast, LogPastState
from kairos.sensing.log_file import numbered

_SECOND_US = 1_000_000


class ReplayedNews(NamedTuple):
    """News, and the number of the line with which its entry ends."""

    news: LogNews
    line: int


class LogReplay(NamedTuple):
    """What a replay gave. `lines`: up to the last with text; `learnt`: entries of the first half."""

    lines: int
    entries: int
    learnt: int
    templates: int
    unsaid: int
    news: list[ReplayedNews]


def replay(path: Path) -> LogReplay:
    """Replays a log file, twice read: once to count its lines. OSError if it cannot be read."""
    total = max((line.number for lines in numbered(path) for line in lines), default=0)
    past, entries, news = LogPast(LogPastState()), Entries(), []
    at = ended = learnt = 0
    for lines in numbered(path):
        for number, line in lines:
            for whole in entries.take(line):
                stamp = entry_of(whole).at
                at = at if stamp is None else stamp * _SECOND_US
                found = past.see(whole, at, learning=number <= total // 2)
                learnt += number <= total // 2
                news += [] if found is None else [ReplayedNews(found, ended)]
            ended = number
    for whole in entries.flush():
        found = past.see(whole, at)
        news += [] if found is None else [ReplayedNews(found, ended)]
    state = past.state()
    return LogReplay(ended, state.entries, learnt, len(state.templates), state.unsaid, news)
