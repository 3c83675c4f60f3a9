"""Which cases became red between which commits, and what is already known of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from kairos.domain.checks.culprit import CaseHistory, SeenRun
from kairos.domain.checks.state import CheckState, JudgedCase, PastRun

_MOST_UNTOLD = 2
"""A run that is given up (it was out of time or memory) is made again at the ends of a range."""


class ChainCommit(NamedTuple):
    """A commit of the first-parent chain, and its tree."""

    oid: str
    tree: str


class RedRange(msgspec.Struct, frozen=True, kw_only=True):
    """Cases that are red at HEAD and were green at one base. `chain`: the commits from the base (0) to HEAD (n);
    `since`: the position of the run that was red first."""

    cases: Sequence[str]
    chain: Sequence[ChainCommit]
    since: int

    @property
    def n(self) -> int:
        return len(self.chain) - 1


def present(check: CheckState, tree: str) -> PastRun | None:
    """The last run of all of the check on a tree, of those that ended."""
    return next((r for r in reversed(check.whole(tree)) if r.outcome != "broken"), None)


def newly_red(
    check: CheckState, chain: Sequence[ChainCommit], elsewhere: Container[str] = ()
) -> list[RedRange]:  # fmt: skip
    """The cases that are red at HEAD (the first of `chain`, which goes back in time) and have no verdict yet, by the
    base at which they were last green. `elsewhere`: culprits that are not in the history of HEAD (their branch was
    left, or they were amended): a verdict on them says nothing of what is red here."""
    if not chain:
        return []
    first = next((r for r in check.whole(chain[0].tree) if r.outcome == "failed"), None)
    if first is None:  # one that was red once is looked into, even if it is green by now
        return []
    found: dict[tuple[int, int, bool], list[str]] = {}
    wide = frozenset(first.wide)
    for case in first.failed:
        verdict = check.judged.get(case)
        if verdict is not None and verdict.culprit in elsewhere:
            verdict = None
        if verdict is None or verdict.position < first.position:
            base = _base(check, chain, case, first.position, verdict)
            if base is not None:  # one that is wide hides others where it is red: it has a search of its own
                found.setdefault((*base, case in wide), []).append(case)
    return [
        RedRange(cases=sorted(cases), chain=_changing(chain[base::-1]), since=since)
        for (base, since, _), cases in sorted(found.items())
    ]  # fmt: skip


def _changing(chain: Sequence[ChainCommit]) -> list[ChainCommit]:
    """The commits of a chain (forward in time) that change the tree: no other breaks anything."""
    return [chain[0], *(commit for before, commit in pairwise(chain) if commit.tree != before.tree)]


def _base(
    check: CheckState, chain: Sequence[ChainCommit], case: str, since: int, verdict: JudgedCase | None
) -> tuple[int, int] | None:  # fmt: skip
    """(place in the chain of the nearest ancestor at which a case was green, position of the run that was red first).

    None if an ancestor was red and has its verdict, or none tells: it was red when the check was named. Runs after
    `since` belong to the search."""
    ran: dict[str, list[PastRun]] = {}
    for run in check.runs:
        if not run.cases and run.position < since and run.red(case) is not None:
            ran.setdefault(run.tree, []).append(run)
    for place, commit in enumerate(chain):
        runs = ran.get(commit.tree, []) if place and commit.tree != chain[0].tree else []
        if any(run.red(case) is False for run in runs):
            return place, since
        if runs and verdict is not None and verdict.position > runs[0].position:
            return None
        since = min([since, *(run.position for run in runs)])  # its search was overtaken by new commits
    return None


def seen_runs(check: CheckState, red: RedRange, case: str, *, alone: bool) -> tuple[list[SeenRun], list[int]]:
    """(the runs of a case in a range since it was first red, their positions in the log). `alone`: those of single
    cases count; where the runner cannot run them, such a run says nothing."""
    places: dict[str, list[int]] = {}
    for place, commit in enumerate(red.chain):
        places.setdefault(commit.tree, []).append(place)
    seen: list[SeenRun] = []
    positions = []
    for run in check.runs:
        if run.position > red.since and run.tree in places and (alone or not run.cases) and run.red(case) is not None:
            was_red, was_green = run.counts(case)
            for place in places[run.tree]:  # a tree that came back was tried at each of its commits
                at = SeenRun(place, True, bool(run.cases))
                seen += [at] * was_red + [at._replace(red=False)] * was_green
            positions.append(run.position)
    return seen, positions


def history(check: CheckState, case: str, since: int) -> CaseHistory:
    """How often a case ran before it was red, and how often it was red without a cause."""
    said = [r.red(case) for r in check.runs if r.position < since]
    verdict = check.judged.get(case)
    flaky = sum(map(bool, said)) if verdict is not None and verdict.verdict == "flaky" else 0
    green = sum(one is False for one in said)
    return CaseHistory(green + flaky, flaky)


def green_again(check: CheckState, tree: str, cases: Sequence[str], *, runs: int = 1) -> bool:
    """Whether all of these cases are green at a tree, by its last run, and were in the last `runs` runs."""
    last = [r for r in check.runs if not r.cases and r.outcome != "broken"][-runs:]
    now = present(check, tree)
    if now is None or len(last) < runs:
        return False
    return all(r.red(case) is False for r in ([now] if runs == 1 else [now, *last]) for case in cases)


def standing(check: CheckState, case: str) -> JudgedCase | None:
    """The verdict on a case, unless it was green since: then it is red for another reason, which is looked for."""
    verdict = check.judged.get(case)
    if verdict is None or verdict.verdict == "flaky":
        return verdict
    later = (run for run in check.runs if run.position > verdict.position and not run.cases)
    return None if any(run.red(case) is False for run in later) else verdict


def was_green(check: CheckState, case: str) -> bool:
    """Whether a run of all of the check told that a case is green. One that never was is known, and not looked into."""
    return any(run.red(case) is False for run in check.runs if not run.cases)


def duration(check: CheckState, *, alone: bool) -> float:
    """How long (s) the last run of some cases, or of all, took. Before the first of some: at most as long as of all."""
    took = (run.seconds / run.repeats for run in reversed(check.runs) if bool(run.cases) is alone)
    return next(took, duration(check, alone=False) if alone else 0.0)


def can_be_alone(check: CheckState, red: RedRange) -> bool:
    """Whether these cases can be run alone: not if two runs at HEAD did not tell; one may have been given up."""
    return _alone_at_head(check, red).count(False) < _MOST_UNTOLD


def ran_alone(check: CheckState, red: RedRange) -> bool:
    """Whether these cases, or those of them that have no answer yet, ran alone at HEAD: a case that a later run does
    not report is absent there, and not only never selected."""
    return True in _alone_at_head(check, red)


def _alone_at_head(check: CheckState, red: RedRange) -> list[bool]:
    """Of each run of these cases alone at HEAD, whether it told of all that it ran."""
    head = red.chain[-1].tree
    ran = [r for r in check.runs if r.position > red.since and r.tree == head and r.cases]
    return [all(r.red(case) is not None for case in red.cases if case in r.cases) for r in ran]


def testable(check: CheckState, red: RedRange, *, alone: bool) -> RedRange:
    """The range without the commits at which such a run did not tell of its cases: it broke, or did not get that far.
    HEAD and the base stay, unless two runs there did not tell; then only HEAD is left."""
    untold: Counter[str] = Counter()
    for run in check.runs:
        asked = [case for case in red.cases if not alone or case in run.cases]
        if run.position > red.since and bool(run.cases) is alone and any(run.red(case) is None for case in asked):
            untold[run.tree] += 1
    base, *inner, head = red.chain
    if max(untold[base.tree], untold[head.tree]) >= _MOST_UNTOLD:
        return msgspec.structs.replace(red, chain=[head])
    return msgspec.structs.replace(red, chain=[base, *(c for c in inner if not untold[c.tree]), head])


def untestable_before(whole: RedRange, tested: RedRange, position: int) -> int:
    """How many commits right before one of the tested range could not be tested: it may be one of them."""
    places = [whole.chain.index(tested.chain[p]) for p in (position - 1, position)]
    return places[1] - places[0] - 1


def consecutive(check: CheckState) -> list[tuple[PastRun, PastRun]]:
    """Each run of all of the check beside the one before it, of those that ended, the first on each tree."""
    trees: dict[str, PastRun] = {}
    for run in check.runs:
        if not run.cases and run.outcome != "broken":
            trees.setdefault(run.tree, run)
    runs = list(trees.values())
    return list(pairwise(runs))
