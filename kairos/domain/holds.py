"""The rules by which a finding is held back, and the record of it. What only reads of holds needs nothing else."""

from __future__ import annotations

import msgspec

from kairos.domain.awaited import named
from kairos.domain.events import AttentionHeld
from kairos.domain.finding import Finding

DUPLICATE = "duplicate@1"
REJECTED = "rejected@1"
NEVER = "never@1"
BASELINE = "baseline@1"
COOL_DOWN = "cool-down@1"
"""Of earlier versions, in which a detector rested after a rejection: over as soon as it is looked at again."""
MUTE = "mute@1"
FLOOR = "floor@1"
SHADOW = "shadow@1"
ENDING = frozenset({MUTE, NEVER, COOL_DOWN, FLOOR, SHADOW})
"""Holds of a finding that can end: by an unmute, by taking a rejection back, by a reset of what was learned, by a
promotion out of shadow. It is looked at again then."""


def held_back(finding: Finding, rule: str, why: str, boundary: str) -> AttentionHeld:
    """The record that a finding is not raised; with what it was found in, if the hold can end."""
    held = AttentionHeld(
        repo=finding.action.repo, subject=finding.key, why=why, rule=rule, detector=finding.detector
    )  # fmt: skip
    if rule not in ENDING:
        return held
    from hashlib import sha256

    parts = finding.subjects if finding.subjects != [finding.key] else []
    mark = sha256(msgspec.json.encode((finding.basis, finding.level))).hexdigest()[:8]
    return msgspec.structs.replace(held, evidence=finding.evidence, boundary=boundary, mark=mark, subjects=parts)


def in_shadow(finding: Finding, boundary: str, commit: str) -> AttentionHeld:
    """The record of a finding of a detector in shadow: it is not raised, and hindsight judges it after `commit`."""
    return AttentionHeld(
        repo=finding.action.repo, subject=finding.key, rule=SHADOW, detector=finding.detector,
        why=f"{finding.title}: {finding.detector} is in shadow", evidence=finding.evidence, boundary=boundary,
        shadow=named(finding), commit=commit, horizon=finding.horizon,
    )  # fmt: skip


def label_of(held: AttentionHeld) -> str:
    """What a hold of a finding is known by, so that it is recorded once: `key|rule`, and the mark if it has one."""
    return f"{held.subject}|{held.rule}#{held.mark}" if held.mark else f"{held.subject}|{held.rule}"
