"""Facts about the logs of a person's programs: which are watched, and what was new in them.

Stream `log-watch-<repo>-<name>`.
"""

from __future__ import annotations

from typing import Literal

from kairos.domain.events.base import Event, FreeText, register

LogKind = Literal["file", "unit", "command"]
LogNewsKind = Literal["new", "more"]
LogLevel = Literal["", "quiet", "warning", "error"]


@register
class LogWatchNamed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person named a log to be watched, or changed it: a file (`path`, absolute), the journal of a unit of systemd
    (`unit`; `user`: one of the person's own), or what a command prints (`command`, which may read `read_roots`
    besides). `every`: entries that say of themselves that they are information count, too."""

    repo: str
    name: str
    kind: LogKind
    path: str = ""
    every: bool = False
    unit: FreeText = ""
    user: bool = False
    command: list[FreeText] = []
    read_roots: list[FreeText] = []


@register
class LogWatchRemoved(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person ended the watch of a log; what it told stays in the log."""

    repo: str
    name: str


@register
class LogLineTold(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Something was new in a watched log: a template that was never there (`new`), or far more of one than ever
    (`more`: `here` in ten minutes, at most `worst` in any before). `id` names the template for its whole life;
    `template` has `*` where it changes; `level`: error | warning | quiet, or empty; `first` (us): when it was seen
    first; `count`: how often by now; `example`: the entry, redacted. `commit`: the one that introduced the only line of
    the tree with its text, at `place` (file:line)."""

    repo: str
    watch: str
    id: str
    news: LogNewsKind
    template: FreeText
    example: FreeText
    level: LogLevel = ""
    first: int = 0
    count: int = 1
    here: int = 0
    worst: int = 0
    commit: str = ""
    place: FreeText = ""
    subject: FreeText = ""
