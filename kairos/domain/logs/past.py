"""The past of a log, and what is new against it: a template that was never there, or far more of one. Pure.

A new template is news only where news is rare. The chance that the next entry has a template nobody has seen is
estimated by the share of entries whose template was seen once (Good and Turing); a log that says something new all the
time, or of which too little is known, so says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from kairos.domain.events import LogLevel, LogNewsKind
from kairos.domain.logs.entries import SaidEntry, entry_of, with_year
from kairos.domain.logs.templates import LogTemplate, Templates
from kairos.domain.secrets import redact

SURPRISE = 0.02
"""A new template is news if the chance of one is at most this."""
WINDOW_US = 600_000_000
"""Entries are counted in windows of ten minutes."""
_DAY_US, _HOUR_US, _SECOND_US = 86_400_000_000, 3_600_000_000, 1_000_000
_MANY, _TIMES = 20, 5
"""So many in a window, and so many times the most of any window before, are far more than ever."""
MOST_NEWS = 5
"""So many news an hour; more of them are counted only."""
_MOST_FORMS = 4_096
_LONGEST_FORM = 400
_DIGITS = str.maketrans("0123456789", "0000000000")


class LogPastState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is kept of a log: how many entries were seen, its templates (the last seen at the end), and in the hour
    `hour` how many news there were; `unsaid`: news beyond the bound since ever."""

    entries: int = 0
    templates: list[LogTemplate] = []
    hour: int = 0
    said: int = 0
    unsaid: int = 0


class LogNews(NamedTuple):
    """Something new. `more`: of a known template, how many in this window and how many at most in one before."""

    kind: LogNewsKind
    template: LogTemplate
    example: str
    level: LogLevel
    here: int = 0
    worst: int = 0


class LogPast:
    """What was seen of one log."""

    def __init__(self, state: LogPastState, *, every: bool = False) -> None:
        """`every`: entries that say of themselves that they are information count, too."""
        self._state = state
        self._every = every
        self._templates = Templates(state.templates)
        self._forms: dict[str, str] = {}

    def state(self) -> LogPastState:
        """What to keep of it."""
        return msgspec.structs.replace(self._state, templates=list(self._templates.by_id.values()))

    @property
    def entries(self) -> int:
        return self._state.entries

    def see(
        self, lines: Sequence[str], at: int, *, learning: bool = False, behind: bool = False
    ) -> LogNews | None:  # fmt: skip
        """Takes the lines of one entry, seen at a moment (us); what is new about it, if that may be told. `learning`:
        it is of the past, by its own stamp. `behind`: it was written while nobody read, nobody knows when, so that it
        is in no window."""
        entry: SaidEntry | None = None
        new = False
        form = lines[0].translate(_DIGITS) if len(lines) == 1 and not learning else ""
        template = self._templates.seen(self._forms.get(form, ""))
        self._state.entries += 1
        if template is None:
            entry = entry_of(list(lines))
            if learning and entry.at is not None:
                at = min(with_year(entry.at, at // _SECOND_US) * _SECOND_US, at)
            template, new = self._templates.match(redact(entry.text))
            if form and len(form) <= _LONGEST_FORM:
                if len(self._forms) >= _MOST_FORMS:
                    self._forms.clear()
                self._forms[form] = template.id
            if new:
                template.loud = self._every or entry.level != "quiet"
                template.first = at
        self._count(template, at, behind=behind)
        if learning:
            return None
        if new:
            worse = (0, 0) if template.loud and self._is_rare() else None
        else:
            worse = None if behind else self._far_more(template, at)
        if worse is None:
            return None
        entry = entry or entry_of(list(lines))
        return self._allowed(
            LogNews("new" if new else "more", template, redact(entry.example), entry.level, *worse), at
        )  # fmt: skip

    def _count(self, template: LogTemplate, at: int, *, behind: bool) -> None:
        template.count += 1
        template.last = max(at, template.last)
        if behind:
            return
        window = at // WINDOW_US
        if window != template.window:
            template.worst, template.window, template.here = max(template.worst, template.here), window, 0
        template.here += 1

    def _is_rare(self) -> bool:
        """Whether a new template is a surprise. The one that is new counts as seen once."""
        once = sum(t.count == 1 and t.loud for t in self._templates.by_id.values())
        return once / (self._state.entries + 1) <= SURPRISE

    def _far_more(self, template: LogTemplate, at: int) -> tuple[int, int] | None:
        """(count in this window, the most before), if it is far more than ever in at least a day, and worse than told
        before."""
        here, worst = template.here, template.worst
        if not template.loud or here < max(_MANY, _TIMES * worst) or at - template.first < _DAY_US:
            return None
        return (here, worst) if len(str(here)) > template.told else None

    def _allowed(self, news: LogNews, at: int) -> LogNews | None:
        """The news, unless there were too many in this hour."""
        news.template.told = len(str(news.here)) if news.kind == "more" else 0
        state, hour = self._state, at // _HOUR_US
        if hour != state.hour:
            state.hour, state.said = hour, 0
        state.said += 1
        if state.said > MOST_NEWS:
            state.unsaid += 1
            return None
        return news


def literals(template: str, least: int = 12) -> list[str]:
    """What of a template may stand in a source file as it is, the longest first: runs of words without a variable part,
    and what is left of them without their first words (a level, a logger). At least two words and `least`
    characters."""
    found: dict[str, None] = {}
    for run in template.split("*"):
        words = run.split(" ")
        for start in range(min(len(words), 7)):
            text = " ".join(words[start:]).strip(" \t\"'`:;,.=()[]{}<>|")
            if len(text) >= least and " " in text and "[redacted" not in text:
                found.setdefault(text)
    return sorted(found, key=lambda text: (-len(text), text))[:12]
