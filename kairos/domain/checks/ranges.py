"""Which cases became red between which commits, and what is already known of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from kairos.domain.checks.culprit import CaseHistory, SeenRun
from kairos.domain.checks.state import CheckState, PastRun


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


def newly_red(check: CheckState, chain: Sequence[ChainCommit]) -> list[RedRange]:
    """The cases that are red at HEAD (the first of `chain`, which goes back in time) and have no verdict yet, by the
    base at which they were last green."""
    if not chain:
        return []
    first = next((r for r in check.whole(chain[0].tree) if r.outcome == "failed"), None)
    if first is None:  # one that was red once is looked into, even if it is green by now
        return []
    found: dict[tuple[int, int], list[str]] = {}
    for case in first.failed:
        verdict = check.judged.get(case)
        if verdict is None or verdict.position < first.position:
            base = _base(check, chain, case, first.position)
            if base is not None:
                found.setdefault(base, []).append(case)
    return [
        RedRange(cases=sorted(cases), chain=list(reversed(chain[: base + 1])), since=since)
        for (base, since), cases in sorted(found.items())
    ]  # fmt: skip


def _base(check: CheckState, chain: Sequence[ChainCommit], case: str, since: int) -> tuple[int, int] | None:
    """(place in the chain of the nearest ancestor at which a case was green, position of the run that was red first).

    None if an ancestor was red and has its verdict, or none tells: it was red when the check was named. Runs after
    `since` belong to the search."""
    verdict = check.judged.get(case)
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
    places: dict[str, int] = {}
    for place, commit in enumerate(red.chain):
        places.setdefault(commit.tree, place)
    places[red.chain[-1].tree] = red.n
    seen: list[SeenRun] = []
    positions = []
    for run in check.runs:
        if run.position > red.since and run.tree in places and (alone or not run.cases) and run.red(case) is not None:
            was_red, was_green = run.counts(case)
            at = SeenRun(places[run.tree], True, bool(run.cases))
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
    """Whether all of these cases are green at a tree, and were in the last `runs` runs."""
    last = [r for r in check.runs if not r.cases and r.outcome != "broken"][-runs:]
    now = present(check, tree)
    if now is None or now not in last or len(last) < runs:
        return False
    return all(r.red(case) is False for r in last for case in cases)


def can_be_alone(check: CheckState, red: RedRange) -> bool:
    """Whether no run at HEAD showed that these cases cannot be run alone."""
    head = red.chain[-1].tree
    return not any(r.position > red.since and r.tree == head and r.cases and r.outcome == "broken" for r in check.runs)


def ran_alone(check: CheckState, red: RedRange) -> bool:
    """Whether these cases, or those of them that have no answer yet, ran alone at HEAD: a case that a later run does
    not report is absent there, and not only never selected."""
    head = red.chain[-1].tree
    return any(r.position > red.since and r.tree == head and r.cases for r in check.runs)


def testable(check: CheckState, red: RedRange, *, alone: bool) -> tuple[RedRange, int]:
    """(the range without the commits at which such a run broke, how many those are). HEAD and the base stay."""
    broken = {
        r.tree for r in check.runs if r.position > red.since and r.outcome == "broken" and bool(r.cases) is alone
    }  # fmt: skip
    inner = [c for c in red.chain[1:-1] if c.tree not in broken]
    ends = broken & {red.chain[0].tree, red.chain[-1].tree}
    chain = [] if ends else [red.chain[0], *inner, red.chain[-1]]
    return msgspec.structs.replace(red, chain=chain or [red.chain[-1]]), len(red.chain) - len(chain or [0])


def consecutive(check: CheckState) -> list[tuple[PastRun, PastRun]]:
    """Each run of all of the check beside the one before it, of those that ended, the first on each tree."""
    trees: dict[str, PastRun] = {}
    for run in check.runs:
        if not run.cases and run.outcome != "broken":
            trees.setdefault(run.tree, run)
    runs = list(trees.values())
    return list(pairwise(runs))
