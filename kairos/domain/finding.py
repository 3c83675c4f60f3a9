"""A finding: evidence turned into an exact action, before policy or attention judged it."""

from __future__ import annotations

import msgspec

from kairos.domain.action import Action
from kairos.domain.events.proposals import Risk
from kairos.domain.events.turns import Engine


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding of a detector or a model turn.

    `key` names it for dedup: detector, subject and a hash of the evidence's content, so that a rejected finding returns
    only when its evidence changed. `evidence`: event positions, the cause first. `urgent` may pass quiet hours.
    `at_least`: the risk of doing nothing, if it is higher than the risk of the action. `unchecked`: what was not
    verified, in plain words."""

    detector: str
    version: int
    key: str
    title: str
    claim: str
    action: Action
    evidence: list[int]
    urgent: bool = False
    at_least: Risk = "low"
    engine: Engine = "rules"
    unchecked: list[str] = []
    cost_microusd: int = 0


def is_key(subject: str) -> bool:
    """Whether the subject of a hold is the key of a finding, not a proposal or a turn: only keys contain a colon, after
    the detector."""
    return ":" in subject
