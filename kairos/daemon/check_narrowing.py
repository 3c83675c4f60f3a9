"""Narrowing a red commit to the hunk that is to blame: which pieces of it to try next, or those that do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kairos.acting.commit_pieces import pieces_of
from kairos.domain.checks.narrowing import MOST_TRIALS, GuiltyPieces, next_trial
from kairos.domain.checks.ranges import ChainCommit
from kairos.domain.checks.state import CheckState
from kairos.repo.git import Git

_SLOW_S, _MOST_SLOW = 60.0, 6


class TrialWanted(NamedTuple):
    """A run of the culprit with only these pieces of it, of `of`. `changes`: what makes its tree so."""

    pieces: Sequence[int]
    of: int
    changes: Mapping[str, tuple[bytes, int] | None]


class NarrowedTo(NamedTuple):
    """What is to blame, for a person (empty: it could not be narrowed), and the positions of the trials."""

    text: str = ""
    evidence: Sequence[int] = ()


def narrow(
    git: Git, check: CheckState, parent: ChainCommit, culprit: ChainCommit, case: str, seconds: float
) -> TrialWanted | NarrowedTo:  # fmt: skip
    """The next trial for a case that `culprit` made red, or the answer. `seconds`: how long a run takes. GitError."""
    found = pieces_of(git, parent.oid, culprit.oid)
    if found is None:
        return NarrowedTo()
    n = len(found.pieces)
    trials = [t for t in check.trials if (t.commit, t.pieces_of) == (culprit.oid, n) and case in (t.cases or [case])]
    tried = {frozenset(t.pieces): t.is_red(case) for t in trials}
    step = next_trial(n, tried, MOST_TRIALS if seconds < _SLOW_S else _MOST_SLOW)
    if not isinstance(step, GuiltyPieces):
        return TrialWanted(sorted(step), n, found.without_others(sorted(step)))
    narrowed = n == 1 or 2 * len(step.pieces) <= n
    return NarrowedTo(found.described(step.pieces) if narrowed else "", [t.position for t in trials])
