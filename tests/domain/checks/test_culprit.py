"""The search names the commit that broke a case, and blames none where the case is only flaky."""

from __future__ import annotations

import random
from math import ceil, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.domain.checks.culprit import CaseHistory, Culprit, NextRun, SeenRun, most_runs, next_run, repeats, surety

KNOWN = CaseHistory(20, 0)


def search(
    n: int, red: object, history: CaseHistory = KNOWN, can_be_alone: bool = True, times: int = 1
) -> tuple[Culprit, int]:
    """The answer and how many runs it took, each `times` executions; `red(position, alone)` is the truth."""
    seen: list[SeenRun] = []
    most = most_runs(n) * times
    while isinstance(step := next_run(n, seen, history, can_be_alone=can_be_alone, most=most), NextRun):
        assert 0 <= step.position <= n
        assert can_be_alone or not step.alone
        seen += [SeenRun(step.position, red(*step), step.alone) for _ in range(times)]  # type: ignore[operator]
        assert len(seen) <= most
    return step, len(seen) // times


@settings(deadline=None)
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))), st.integers(3, 5))
def test_quick_cases_that_are_repeated_in_a_run_need_fewer_runs(where: tuple[int, int], times: int) -> None:
    n, at = where
    found, runs = search(n, lambda position, _: position >= at, CaseHistory(), times=times)
    assert (found.kind, found.position) == ("new", at)
    assert runs <= ceil(log2(n)) + 3


@settings(deadline=None)
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))), st.booleans())
def test_a_steady_regression_is_found_in_few_runs(where: tuple[int, int], can_be_alone: bool) -> None:
    n, at = where
    found, runs = search(n, lambda position, _: position >= at, can_be_alone=can_be_alone)
    assert (found.kind, found.position) == ("new", at)
    assert runs <= ceil(log2(n)) + 6


@settings(deadline=None)
@given(st.integers(1, 64))
def test_red_at_the_base_as_well_is_older(n: int) -> None:
    found, _ = search(n, lambda *_: True)
    assert (found.kind, found.position) == ("older", 0)


@settings(deadline=None)
@given(st.integers(1, 64), st.booleans())
def test_red_only_in_company_is_a_matter_of_order(n: int, known: bool) -> None:
    found, _ = search(n, lambda _, alone: not alone, KNOWN if known else CaseHistory())
    assert found.kind == "order"


@settings(deadline=None)
@given(st.integers(1, 300), st.lists(st.booleans(), max_size=40), st.booleans())
def test_whatever_it_sees_it_ends_and_answers_the_same_again(n: int, coins: list[bool], alone: bool) -> None:
    def coin(position: int, _: bool) -> bool:
        return coins[position % len(coins)] if coins else True

    assert search(n, coin, can_be_alone=alone) == search(n, coin, can_be_alone=alone)


def test_a_culprit_was_seen_red_and_its_parent_green() -> None:
    seen: list[SeenRun] = []
    while isinstance(step := next_run(16, seen, KNOWN), NextRun):
        seen.append(SeenRun(step.position, step.position >= 7, step.alone))
    assert any(o.position == 7 and o.red for o in seen)
    assert any(o.position == 6 and not o.red for o in seen)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3, 0.5])
def test_flaky_ranges_blame_hardly_any_innocent_commit(rate: float) -> None:
    rng = random.Random(7)
    blamed = 0
    for _ in range(100):
        history = CaseHistory(10, sum(rng.random() < rate for _ in range(10)))
        found, _ = search(rng.choice([2, 8, 16, 40]), lambda *_: rng.random() < rate, history)
        blamed += found.kind in ("new", "older")
    assert blamed <= 3  # the bench counts them over thousands


def test_a_flaky_answer_has_both_outcomes_on_one_tree() -> None:
    seen: list[SeenRun] = []
    while isinstance(step := next_run(8, seen, CaseHistory(20, 8)), NextRun):
        seen.append(SeenRun(step.position, False, step.alone))
    assert step.kind == "flaky"
    assert any(o.position == 8 and not o.red for o in seen)  # where it was seen red before


def test_quick_cases_are_repeated_until_more_is_sure() -> None:
    assert surety(60) > surety(600)
    assert repeats(0.1) > repeats(5) > repeats(20) > repeats(60) == 1


def test_it_gives_up_rather_than_guess() -> None:
    found = next_run(4, [SeenRun(2, True)] * 3, CaseHistory(), sure=0.9999, most=3)
    assert isinstance(found, Culprit)
    assert found.kind == "undecided"


def test_cases_that_became_red_together_need_fewer_runs() -> None:
    def runs(together: int, n: int) -> int:
        seen: list[SeenRun] = []
        while not isinstance(step := next_run(n, seen, can_be_alone=False, together=together), Culprit):
            seen.append(SeenRun(step.position, step.position >= n, step.alone))
        assert (step.kind, step.position) == ("new", n)
        return len(seen)

    assert [(runs(1, n), runs(70, n)) for n in (1, 4)] == [(6, 4), (9, 7)]
