"""Which commit made a case red, or that none did: a Bayesian search over {each commit, none}. Pure.

After flake-aware culprit finding (Google, ICST 2023), where about 40 % of red ranges have no culprit. Positions:

    0         1 … n-1        n
    the base, green before   HEAD, where it was seen red

A hypothesis is `new` at one of 1…n, `older` (red at the base as well: the surroundings changed), `flaky` (red at every
position with one unknown probability) or `order` (red in a run of everything, green alone). Each further run of the
case multiplies the posterior; the next run is the one that is expected to tell most about the hypothesis. The first
red run and the green base define the range, so they are no evidence: they are in the prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import ceil, exp, log, log2
from typing import Literal, NamedTuple, TypeAlias

import msgspec

VerdictKind: TypeAlias = Literal["new", "older", "flaky", "order", "undecided"]

_NOISE = 0.002
"""The probability that a case that is broken is green all the same."""
_BACKGROUND = ((0.0005, 0.80), (0.01, 0.08), (0.05, 0.05), (0.1, 0.03), (0.2, 0.02), (0.35, 0.01), (0.5, 0.01))
"""(probability of a red run, weight) of a case before the commit that broke it."""
_FLAKY = tuple((f, f) for f in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5))
"""The same of a flaky case; those that fail often are seen red more often."""
_NO_CULPRIT, _ORDER, _OLDER = 0.4, 0.05, 0.05
_MANY, _NO_CULPRIT_OF_MANY = 5, 0.1
"""So many cases that became red in one run are hardly each flaky by itself; what remains is what surrounds them all."""
_MOST_GREEN = 3
"""At most so many earlier green runs count: before a flaky case is red for the first time, it was always green."""


class SeenRun(NamedTuple):
    """One further run of the case. `alone`: without the other cases of the check."""

    position: int
    red: bool
    alone: bool = True


class CaseHistory(NamedTuple):
    """The earlier outcomes of the case: how many runs, and how many of them were red without a cause."""

    runs: int = 0
    flakes: int = 0


NO_HISTORY = CaseHistory()


class NextRun(NamedTuple):
    """The run that the search asks for next."""

    position: int
    alone: bool


class Culprit(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: `position` of the commit that is to blame if the kind is `new`, else 0. `sure`: its probability."""

    kind: VerdictKind
    position: int = 0
    sure: float = 0.0


class _Belief(NamedTuple):
    """The posterior: of `new` by position (index 0 is `older`), with the mean probability of a red run before the
    culprit; of `flaky`, with its mean; of `order`."""

    new: list[float]
    before: list[float]
    flaky: float
    rate: float
    order: float


def next_run(
    n: int,
    seen: Sequence[SeenRun] = (),
    history: CaseHistory = NO_HISTORY,
    *,
    can_be_alone: bool = True,
    sure: float = 0.995,
    most: int | None = None,
    together: int = 1,
) -> NextRun | Culprit:
    """The next run of a search over n >= 1 commits, or its answer. `seen`: the runs after the first red one.

    `sure`: the probability at which it answers; `most`: after so many runs it gives up (default: by n);
    `together`: so many cases became red in the same run."""
    none = _NO_CULPRIT_OF_MANY if together >= _MANY else _NO_CULPRIT
    belief = _posterior(n, seen, history, can_be_alone, none)
    found = _answer(n, seen, belief, sure)
    if isinstance(found, Culprit):
        return found
    if len(seen) >= (most_runs(n) if most is None else most):
        return Culprit(kind="undecided", sure=max(*belief.new, belief.flaky, belief.order))
    return found or _most_telling(n, belief, can_be_alone)


def most_runs(n: int) -> int:
    """After so many runs a search over n commits gives up."""
    return 3 * ceil(log2(n + 1)) + 16


def surety(seconds: float) -> float:
    """The probability at which to answer for a case of this duration."""
    return 0.995 if seconds < 120 else 0.98


def repeats(seconds: float) -> int:
    """How often a run executes a case of this duration: repeating a quick one is cheaper than another run."""
    return 5 if seconds < 3 else 3 if seconds < 10 else 2 if seconds < 30 else 1


def _posterior(
    n: int, seen: Sequence[SeenRun], history: CaseHistory, can_be_alone: bool, none: float
) -> _Belief:  # fmt: skip
    """`none`: the prior probability that no commit is to blame."""
    flakes = min(history.flakes, history.runs)
    runs = flakes + (min(history.runs - flakes, _MOST_GREEN) if not flakes else history.runs - flakes)

    def past(f: float) -> float:
        return flakes * log(f) + (runs - flakes) * log(1 - f)

    red, green = [0] * (n + 1), [0] * (n + 1)
    for look in seen:
        (red if look.red else green)[look.position] += 1
    reds, greens = [0, *accumulate(red)], [0, *accumulate(green)]
    all_red, all_green = reds[-1], greens[-1]
    share = 1 - none - (_ORDER if can_be_alone else 0)
    weights = [share * _OLDER, *([share * (1 - _OLDER) / n] * n)]
    total = sum(w for _, w in _BACKGROUND)
    new, before = [], []
    kept: tuple[int, int, float, float] | None = None
    for i, weight in enumerate(weights):
        if kept is None or kept[:2] != (reds[i], greens[i]):  # changes only where something was run
            after = (all_red - reds[i]) * log(1 - _NOISE) + (all_green - greens[i]) * log(_NOISE)
            parts = [
                (f, w / total * exp(past(f) + reds[i] * log(f) + greens[i] * log(1 - f) + after))
                for f, w in _BACKGROUND
            ]
            sum_of = sum(p for _, p in parts)
            kept = reds[i], greens[i], sum_of, _mean(parts)
        new.append(weight * kept[2])
        before.append(kept[3])
    total = sum(w for _, w in _FLAKY)
    flaky_parts = [(f, w / total * exp(past(f) + all_red * log(f) + all_green * log(1 - f))) for f, w in _FLAKY]
    flaky, rate = none * sum(p for _, p in flaky_parts), _mean(flaky_parts)
    order = 0.0
    if can_be_alone:
        wrong = len([look for look in seen if look.red is look.alone])
        usual = sum(w / sum(v for _, v in _BACKGROUND) * exp(past(f)) for f, w in _BACKGROUND)
        order = _ORDER * usual * exp(wrong * log(_NOISE) + (len(seen) - wrong) * log(1 - _NOISE))
    whole = sum(new) + flaky + order
    return _Belief([p / whole for p in new], before, flaky / whole, rate, order / whole)


def _mean(parts: Sequence[tuple[float, float]]) -> float:
    total = sum(p for _, p in parts)
    return sum(f * p for f, p in parts) / total if total else 0.5


def _answer(n: int, seen: Sequence[SeenRun], belief: _Belief, sure: float) -> Culprit | NextRun | None:
    """The answer, the run that it still lacks as a proof, or None if nothing is likely enough."""
    best = max(range(n + 1), key=lambda i: belief.new[i])
    if belief.new[best] >= sure:
        # A culprit is red where it is, and green before it; HEAD and the base were seen so.
        if best < n and not any(o.position == best and o.red for o in seen):
            return NextRun(best, _alone(seen))
        if best > 1 and not any(o.position == best - 1 and not o.red for o in seen):
            return NextRun(best - 1, _alone(seen))
        kind: VerdictKind = "new" if best else "older"
        return Culprit(kind=kind, position=best, sure=belief.new[best])
    if belief.flaky >= sure:
        # A flaky case had both outcomes on one tree.
        if any(o.position == n and not o.red for o in seen) or _both(seen):
            return Culprit(kind="flaky", sure=belief.flaky)
        return NextRun(n, _alone(seen))
    if belief.order >= sure:
        return Culprit(kind="order", sure=belief.order)
    return None


def _alone(seen: Sequence[SeenRun]) -> bool:
    return all(o.alone for o in seen) and bool(seen)


def _both(seen: Sequence[SeenRun]) -> bool:
    return not {o.position for o in seen if o.red}.isdisjoint(o.position for o in seen if not o.red)


def _most_telling(n: int, belief: _Belief, can_be_alone: bool) -> NextRun:
    """The run with the largest mutual information between its outcome and the hypothesis."""
    upto = list(accumulate(belief.new))
    later = [p * f for p, f in zip(belief.new, belief.before, strict=True)]
    unsure = [p * _entropy(f) for p, f in zip(belief.new, belief.before, strict=True)]
    later_red, later_unsure = _after(later), _after(unsure)
    flaky_red, flaky_unsure = belief.flaky * belief.rate, belief.flaky * _entropy(belief.rate)
    noise = _entropy(_NOISE)

    def told(position: int, alone: bool) -> float:
        order_red = belief.order * (_NOISE if alone else 1 - _NOISE)
        red = upto[position] * (1 - _NOISE) + later_red[position] + flaky_red + order_red
        left = (upto[position] + belief.order) * noise + later_unsure[position] + flaky_unsure
        return _entropy(red) - left

    found = [(told(position, can_be_alone), -position, position) for position in range(n + 1)]
    best, _, position = max(found)
    if can_be_alone and told(n, False) > best + 1e-9:
        return NextRun(n, False)
    return NextRun(position, can_be_alone)


def _after(values: Sequence[float]) -> list[float]:
    """For each index the sum of the values after it."""
    sums = list(accumulate(reversed(values)))
    return [*reversed(sums[:-1]), 0.0]


def _entropy(p: float) -> float:
    p = min(max(p, 1e-12), 1 - 1e-12)
    return -p * log2(p) - (1 - p) * log2(1 - p)
