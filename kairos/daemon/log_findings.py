"""What was new in a watched log, as findings: one for a template, for its whole life."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kairos.clock import rfc3339
from kairos.domain.action import NoteAction
from kairos.domain.amounts import count
from kairos.domain.events import LogLineTold
from kairos.domain.finding import Finding
from kairos.domain.inert import shown

DETECTOR = "log-watch"
_WORDS = {"error": "error", "warning": "warning"}
_MOST_LINES = 24
_LEVEL = re.compile(r"^(?:ERROR|WARNING|WARN|CRITICAL|FATAL):? ")


def key_of(watch: str, template: str) -> str:
    """The key of the finding about a template of a log."""
    return f"{DETECTOR}:{watch}:{template}"


def watch_of(key: str) -> str:
    """The name of the watched log in a key."""
    return [*key.split(":", 2), "", ""][1]


def finding_of(told: LogLineTold, evidence: Sequence[int]) -> Finding:
    """The finding about a template. `evidence`: positions, that of the watch first."""
    origin = f" It comes from {shown(told.place)}, the only line with this text, written in {told.commit[:10]}"
    origin += f" “{shown(told.subject, 70)}”." if told.subject else "."
    return Finding(
        detector=DETECTOR, version=1, key=key_of(told.watch, told.id), title=_title(told),
        claim=_claim(told) + (origin if told.commit else ""), action=NoteAction(repo=told.repo, text=_text(told)),
        evidence=list(dict.fromkeys(evidence)), at_least="medium" if told.level == "error" else "low",
        level=len(str(told.here)) if told.news == "more" else 0,
        unchecked=["whether it matters, and how to mend it"]
        + ([] if told.commit else ["where it comes from: no single line of the source has its text"]),
    )  # fmt: skip


def _title(told: LogLineTold) -> str:
    text = shown(_LEVEL.sub("", told.template), 70)
    if told.news == "more":
        return f"{shown(told.watch)}: {told.here} in ten minutes: {text}"
    return f"{shown(told.watch)}: new {_WORDS.get(told.level, 'line')}: {text}"


def _claim(told: LogLineTold) -> str:
    first, times = rfc3339(told.first)[:19] + "Z", count(told.count, "time")
    if told.news == "more":
        most = f"at most {told.worst} in any ten minutes before" if told.worst else "never more than once before"
        return f"It came {told.here} times in ten minutes, {most}; first seen {first}, {times} in all."
    return f"The log never had such a line before. First seen {first}, {times} until this was told."


def _text(told: LogLineTold) -> str:
    lines = told.example.split("\n")
    more = len(lines) - _MOST_LINES
    kept = [f"  {shown(line)}" for line in lines[:_MOST_LINES]]
    return "\n".join([*kept, *([f"  and {count(more, 'more line')}"] if more > 0 else [])])
