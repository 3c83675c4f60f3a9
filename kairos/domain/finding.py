"""A finding: evidence turned into an exact action, before policy or attention judged it."""

from __future__ import annotations

from collections.abc import Container

import msgspec

from kairos.domain.action import Action
from kairos.domain.basis import Basis
from kairos.domain.events.proposals import AwayParts, Risk
from kairos.domain.events.turns import Engine


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding of a detector or a model turn.

    `key` names it for its whole life: the detector and what it is about (this rename, this value in this place), never
    the bytes of the present patch. `subjects`: keys of its parts where it is about several things (the renames of a
    commit); findings that share one are the same finding. `former_keys`: keys under which earlier versions of Kairos
    recorded it.

    `fingerprint`: a short hash of each place of its evidence; one that was rejected returns only with a new place.
    `level`: how bad its state is beside its risk; a higher one is told again (a pushed secret). `basis`: what must be
    in the repository for it to hold.

    `horizon`: hindsight waits for so many commits (0: as for any finding).

    `away`: what its proposal is about, too, and is not in the tree now; `card`: the proposal whose evidence it
    was looked for in again.

    `evidence`: event positions, the cause first. `urgent` may pass quiet hours. `at_least`: the risk of doing nothing,
    if it is higher than the risk of the action. `unchecked`: what was not verified, in plain words."""

    detector: str
    version: int
    key: str
    title: str
    claim: str
    action: Action
    evidence: list[int]
    subjects: list[str] = []
    former_keys: list[str] = []
    fingerprint: list[str] = []
    level: int = 0
    basis: Basis | None = None
    urgent: bool = False
    at_least: Risk = "low"
    engine: Engine = "rules"
    unchecked: list[str] = []
    cost_microusd: int = 0
    horizon: int = 0
    away: AwayParts | None = None
    card: str = ""

    @property
    def names(self) -> list[str]:
        """The key and the keys of the parts."""
        return [self.key, *(s for s in self.subjects if s != self.key)]


def is_key(subject: str) -> bool:
    """Whether the subject of a hold is the key of a finding, not a proposal or a turn: only keys contain a colon, after
    the detector."""
    return ":" in subject


def was_listed(finding: Finding, listed: Container[str]) -> bool:
    """Whether a finding was there before the repository was registered, in a state no better than now: its key or all
    its parts are listed with its level, or a key of an earlier version is."""
    if any(key in listed for key in finding.former_keys):
        return True
    at = [name if finding.level == 0 else listed_at(name, finding.level) for name in finding.names]
    return at[0] in listed or (len(at) > 1 and all(name in listed for name in at[1:]))


def listed_at(key: str, level: int) -> str:
    """What a list of findings holds for a key in a state of this level above 0."""
    return f"{key}|{level}"


READ_UNTRUSTED = (
    "the model read text that anyone may have written (files, diffs, commit messages): "
    "it may have been told there what to say"
)
"""What a card says of a model's words that rest on a repository's text."""


def model_says(text: str) -> str:
    """A model's words as a sentence of Kairos: quoted, so that no text can end its own quotation."""
    inner = text.replace("“", '"').replace("”", '"')
    return f"A model says: “{inner}”"
