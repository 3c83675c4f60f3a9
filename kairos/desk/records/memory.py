"""Answers about what was learned."""

from __future__ import annotations

from typing import Any

from kairos.desk.records.base import Output


class MemoryOut(Output, frozen=True, kw_only=True):
    """A memory. `cites` are event positions; `valid_from`, `valid_to`: when it was true in the world; `recorded` and
    `retired` are positions; state: open | closed; `score` only for recall; `repo` is an id, `repo_path` its root."""

    id: str
    repo: str
    kind: str
    subject: str
    predicate: str
    value: str
    text: str
    cites: list[int]
    support: float
    confidence: float
    trust: str
    valid_from: str
    valid_to: str | None
    recorded: int
    retired: int | None
    state: str
    why: str = ""
    by: str = ""
    uses: int = 0
    score: float | None = None
    repo_path: str | None = None


class RelatedOut(Output, frozen=True, kw_only=True):
    """A file that changes together with those asked about: the confidence, the number of commits, and where it is
    recorded."""

    path: str
    confidence: float
    support: int
    cites: list[int]


class CompanionOut(Output, frozen=True, kw_only=True):
    """A file that usually changes with one of those that a briefing is about: how sure, in how many commits it did, and
    the events that recorded them."""

    path: str
    changes_with: str
    confidence: float
    support: int
    cites: list[int]


class BriefOut(Output, frozen=True, kw_only=True):
    """The briefing about `paths` of a repository (its root). `companions`: what changes with them and is not among
    them; `memories`: what is remembered about them, or about every change."""

    repo: str
    paths: list[str]
    companions: list[CompanionOut]
    memories: list[MemoryOut]


class DreamChangeOut(Output, frozen=True, kw_only=True):
    """One memory event; `position` is null in a dry run."""

    position: int | None
    type: str
    data: dict[str, Any]
