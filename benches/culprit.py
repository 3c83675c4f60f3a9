"""Culprit finding over 16 commits, simulated: plain bisection, bisection with reruns, and the Bayesian search.

60 % of the ranges have a culprit; in the rest the case is only flaky (5-50 %). `python -m benches.culprit`.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from math import ceil, log2
from typing import NamedTuple

from kairos.domain.checks.culprit import CaseHistory, Culprit, NextRun, SeenRun, most_runs, next_run

Run = Callable[[int, bool], bool]
Found = tuple[str, int]
QUICK = 5
"""How often a run executes a quick case."""


class Range(NamedTuple):
    """The truth about one red range."""

    kind: str
    position: int
    rate: float
    history: CaseHistory

    def red(self, position: int, alone: bool, rng: random.Random) -> bool:
        if self.kind == "new" and position >= self.position:
            return True
        if self.kind == "order":
            return not alone
        return rng.random() < self.rate


def drawn(n: int, rng: random.Random, known: int, kinds: tuple[str, ...] = ()) -> Range:
    """A random range. `known`: how many earlier runs of the case there are; before its first red one all were green."""
    kind = rng.choice(kinds) if kinds else "new" if rng.random() < 0.6 else "flaky"
    rate = rng.uniform(0.05, 0.5) if kind == "flaky" else rng.choice([0.0] * 9 + [0.05])
    return Range(kind, rng.randint(1, n) if kind == "new" else 0, rate, CaseHistory(known, 0))


def bisection(n: int, run: Run, _: CaseHistory, reruns: int = 1) -> Found:
    """Plain bisection; with `reruns` a position is red if every run there is."""
    if reruns > 1 and not all(run(n, True) for _ in range(reruns)):
        return "flaky", 0
    good, bad = 0, n
    while bad - good > 1:
        middle = (good + bad) // 2
        if all(run(middle, True) for _ in range(reruns)):
            bad = middle
        else:
            good = middle
    return "new", bad


def reruns(n: int, run: Run, history: CaseHistory) -> Found:
    return bisection(n, run, history, 4)


def ours(n: int, run: Run, history: CaseHistory, repeats: int = 1) -> Found:
    """The Bayesian search; each run executes the case `repeats` times."""
    seen: list[SeenRun] = []
    while not isinstance(step := next_run(n, seen, history, most=most_runs(n) * repeats), Culprit):
        seen += [SeenRun(step.position, red, step.alone) for red in run_often(run, step, repeats)]
    return step.kind, step.position


def run_often(run: Run, step: NextRun, repeats: int) -> list[bool]:
    return [run(*step) for _ in range(repeats)]


def quick(n: int, run: Run, history: CaseHistory) -> Found:
    return ours(n, run, history, QUICK)


class Tally(NamedTuple):
    """Shares of right answers and of innocent commits blamed, and mean runs."""

    right: float
    blamed: float
    runs: float


def measure(
    find: Callable[[int, Run, CaseHistory], Found], *, n: int = 16, times: int = 2_000, known: int = 10, seed: int = 1,
    kinds: tuple[str, ...] = (),
) -> Tally:  # fmt: skip
    rng = random.Random(seed)
    right = blamed = runs = 0

    for _ in range(times):
        truth = drawn(n, rng, known, kinds)
        count = 0

        def run(position: int, alone: bool, truth: Range = truth) -> bool:
            nonlocal count
            count += 1
            return truth.red(position, alone, rng)

        found = find(n, run, truth.history)
        runs += count
        right += found == (truth.kind, truth.position)
        blamed += found[0] == "new" and found != ("new", truth.position)
    return Tally(right / times, blamed / times, runs / times)


def main(times: int = 2_000) -> None:
    print(f"{'over':>6} {'known':>6} {'':24} {'right':>8} {'innocent':>9} {'runs':>6}   goal {'':4}")
    for n in (2, 16, 64, 256):
        for known in (0, 10, 30):
            for name, find in (
                ("bisection", bisection),
                ("bisection, 4 reruns", reruns),
                ("kairos", ours),
                ("kairos, quick case", quick),
            ):
                got = measure(find, n=n, known=known, times=times)
                got = got._replace(runs=got.runs / QUICK) if find is quick else got
                goal = f"{ceil(log2(n)) + 3}" if find in (ours, quick) else ""
                print(f"{n:6} {known:6} {name:24} {got.right:8.1%} {got.blamed:9.1%} {got.runs:6.1f}   {goal}")
    for kind in ("new", "flaky", "order"):
        got = measure(quick, times=times, kinds=(kind,))
        got = got._replace(runs=got.runs / QUICK)
        print(f"{16:6} {10:6} {'quick case, only ' + kind:24} {got.right:8.1%} {got.blamed:9.1%} {got.runs:6.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
