"""What learning adds: the decisions of one maintainer with it and without it, by hindsight.

The maintainers of a repository are taken as one person, who lets every detector of this program speak and decides about
each finding as people then did: what they did is a yes when they did it, what they left a no when the horizon is over.
A finding of a detector that is silent by then, by the product's own rules, is not told. Right: told and done, or
not told and left. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kairos.backtest.result import RaisedThen
from kairos.backtest.walk import REPO
from kairos.domain.events import CommitRecorded
from kairos.domain.hindsight import Awaiting
from kairos.domain.learning.learned import Learned, add, judged

URGENT = frozenset({"secret"})
"""Detectors whose findings may be urgent: those are never held back."""


class Lift(NamedTuple):
    """How many decided matters there were, how many of their decisions learning made right less how many it made wrong,
    and how many findings it held back."""

    matters: int
    gained: int
    held: int


def lift_of(raised: Sequence[RaisedThen], commits: Sequence[CommitRecorded]) -> Lift:
    """The lift of learning over what was raised in a stretch."""
    matters = [r for r in raised if r.label in ("done", "left")]
    number = {commit.oid: n for n, commit in enumerate(commits)}
    ends = ends_of(matters, commits)
    matters.sort(key=lambda r: number[r.commit])
    state, told, gained, held = Learned(), [], 0, 0
    taught: set[int] = set()
    for r in matters:
        for known in told:
            if id(known) not in taught and ends[id(known)] < number[r.commit]:
                taught.add(id(known))
                add(
                    state, known.detector, REPO, known.place, float(known.label == "done"), float(known.label == "left")
                )
        if r.detector not in URGENT and judged(state, r.detector, REPO, r.place).silent:
            held += 1
            gained += 1 if r.label == "left" else -1
        else:
            told.append(r)
    return Lift(len(matters), gained, held)


def ends_of(matters: Sequence[RaisedThen], commits: Sequence[CommitRecorded]) -> dict[int, int]:
    """The number of the commit at which each matter was decided, by its identity."""
    by_commit: dict[str, list[RaisedThen]] = {}
    for r in matters:
        by_commit.setdefault(r.commit, []).append(r)
    ends: dict[int, int] = {}
    open_: list[tuple[Awaiting, RaisedThen]] = []
    for number, commit in enumerate(commits):
        left = []
        for awaiting, r in open_:
            if awaiting.follow(commit.oid, commit.parents) and awaiting.seen >= r.after:
                ends[id(r)] = number
            else:
                left.append((awaiting, r))
        open_ = left + [(Awaiting(commit.oid, r.after + 1, []), r) for r in by_commit.get(commit.oid, ())]
    return ends
