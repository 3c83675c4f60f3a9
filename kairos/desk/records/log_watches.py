"""Answers about the logs that are watched."""

from __future__ import annotations

from kairos.desk.records.base import Output


class WatchedLogOut(Output, frozen=True, kw_only=True):
    """A watched log. kind: file | unit | command; `source`: its path, name or command line. `state`: reading |
    not read yet | cannot be read (`why`). `entries`, `templates`: what was learnt of it; `told`: how often something
    was new; `unsaid`: news beyond five an hour; `skipped`: bytes that were too many to read."""

    repo: str
    name: str
    kind: str
    source: str
    every: bool
    state: str
    why: str
    entries: int
    templates: int
    told: int
    unsaid: int
    skipped: int


class LogWatchRemovedOut(Output, frozen=True, kw_only=True):
    """A log that is not watched any more."""

    repo: str
    name: str
    position: int


class LogNewsOut(Output, frozen=True, kw_only=True):
    """What would have been told. news: new | more; `line`: of the file, where its entry ends; `here`: so many in ten
    minutes."""

    news: str
    level: str
    template: str
    example: str
    line: int
    here: int


class LogBacktestOut(Output, frozen=True, kw_only=True):
    """A log file read as if live: the first half was learnt, the second told."""

    path: str
    lines: int
    entries: int
    learnt: int
    templates: int
    unsaid: int
    news: list[LogNewsOut]
