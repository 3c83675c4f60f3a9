"""Answers about a person's policy."""

from __future__ import annotations

from kairos.desk.records.base import Output


class RuleOut(Output, frozen=True, kw_only=True):
    """A rule; an absent condition matches everything. effect: allow | ask | deny; `examples`: how many it carries."""

    name: str
    effect: str
    kind: str | None
    paths: list[str]
    detectors: list[str]
    repos: list[str]
    argv_prefix: list[str]
    max_risk: str | None
    min_risk: str | None
    examples: int


class PolicyOut(Output, frozen=True, kw_only=True):
    """mode: observe | suggest | auto; `version`: what an approval binds to."""

    path: str
    mode: str
    version: str
    rules: list[RuleOut]


class RuleChangedOut(Output, frozen=True, kw_only=True):
    """`rule`: the one that was added; null if one was removed."""

    path: str
    mode: str
    rule: RuleOut | None


class PolicyTestOut(Output, frozen=True, kw_only=True):
    """effect: allow | ask | deny; `rule`: what decides; `matched`: every rule that matches."""

    effect: str
    rule: str
    why: str
    mode: str
    kind: str
    risk: str
    matched: list[str]
