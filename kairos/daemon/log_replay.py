"""A log file read as if live: its first half is learnt, and of the second it is said what would have been told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kairos.domain.logs.entries import Entries, entry_of
from kairos.domain.logs.past import LogNews, LogPast, LogPastState
from kairos.sensing.log_file import LogFile

_SECOND_US = 1_000_000


class ReplayedNews(NamedTuple):
    """News, and the line of the file at which it would have been told."""

    news: LogNews
    line: int


class LogReplay(NamedTuple):
    """What a replay gave. `learnt`: entries of the first half."""

    lines: int
    entries: int
    learnt: int
    templates: int
    unsaid: int
    news: list[ReplayedNews]


def replay(path: Path) -> LogReplay:
    """Replays a log file, twice read: once to count its lines. OSError if it cannot be read."""
    path.open("rb").close()
    half = sum(len(lines) for lines in _read(path)) // 2
    past, entries, news = LogPast(LogPastState()), Entries(), []
    at = number = learnt = 0
    for lines in _read(path):
        for line in lines:
            number += 1
            for whole in entries.take(line):
                stamp = entry_of(whole).at
                at = at if stamp is None else stamp * _SECOND_US
                found = past.see(whole, at, learning=number <= half)
                learnt += number <= half
                news += [] if found is None else [ReplayedNews(found, number)]
    for whole in entries.flush():
        found = past.see(whole, at)
        news += [] if found is None else [ReplayedNews(found, number)]
    state = past.state()
    return LogReplay(number, state.entries, learnt, len(state.templates), state.unsaid, news)


def _read(path: Path) -> Iterator[list[str]]:
    file = LogFile(path)
    try:
        more = True
        while more:
            read = file.read()
            if read.why:
                raise OSError(0, read.why)
            more = read.more
            yield read.lines
    finally:
        file.close()
