"""What became red, since when, and what is known of it."""

from __future__ import annotations

import pytest

from kairos.domain.checks import ranges
from kairos.domain.checks.culprit import CaseHistory, SeenRun
from kairos.domain.checks.ranges import ChainCommit
from kairos.domain.checks.state import CheckState, JudgedCase, NamedCheck, PastRun

CHAIN = [ChainCommit(f"c{i}", f"t{i}") for i in range(5, -1, -1)]
"""HEAD is c5."""


def check(*runs: PastRun, judged: dict[str, JudgedCase] | None = None) -> CheckState:
    named = NamedCheck(name="t", kind="test", command=["x"], seconds=1, memory_mb=64)
    return CheckState(named=named, runs=list(runs), judged=judged or {})


def ran(position: int, tree: int, *red: str, cases: list[str] | None = None, **more: object) -> PastRun:
    outcome = "failed" if red else "passed"
    return PastRun(
        position=position, tree=f"t{tree}", commit=f"c{tree}", failed=dict.fromkeys(red, "m"), cases=cases or [],
        **{"outcome": outcome, **more},  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_case_that_was_green_before_is_newly_red_from_there() -> None:
    (red,) = ranges.newly_red(check(ran(1, 1), ran(2, 5, "a", "b")), CHAIN)
    assert red.cases == ["a", "b"]
    assert [c.oid for c in red.chain] == ["c1", "c2", "c3", "c4", "c5"]
    assert (red.n, red.since) == (4, 2)


def test_cases_with_other_bases_are_other_ranges() -> None:
    found = ranges.newly_red(check(ran(1, 1), ran(2, 3, "a"), ran(3, 5, "a", "b")), CHAIN)
    assert [(r.cases, r.n, r.since) for r in found] == [(["b"], 2, 3), (["a"], 4, 2)]
    judged = {"a": JudgedCase(position=3, verdict="new", culprit="c2")}
    runs = (ran(1, 1), ran(2, 3, "a"), ran(4, 5, "a", "b"))
    assert [r.cases for r in ranges.newly_red(check(*runs, judged=judged), CHAIN)] == [["b"]]


def test_a_verdict_on_a_commit_of_another_branch_says_nothing_here() -> None:
    judged = {"a": JudgedCase(position=9, verdict="new", culprit="amended")}
    state = check(ran(1, 1), ran(2, 4, "a"), ran(3, 5, "a"), judged=judged)
    assert ranges.newly_red(state, CHAIN) == []
    (red,) = ranges.newly_red(state, CHAIN, {"amended"})
    assert (red.cases, red.n, red.since) == (["a"], 4, 2)


def test_the_runs_of_a_search_are_no_base() -> None:
    found = ranges.newly_red(check(ran(1, 1), ran(2, 5, "a"), ran(3, 3, "a"), ran(4, 4)), CHAIN)
    assert [(r.cases, r.n, r.since) for r in found] == [(["a"], 4, 2)]


def test_what_was_red_from_the_first_run_is_not_newly_red() -> None:
    assert ranges.newly_red(check(ran(2, 5, "a")), CHAIN) == []
    assert ranges.newly_red(check(ran(1, 1, "a"), ran(2, 5, "a")), CHAIN) == []
    assert not ranges.was_green(check(ran(1, 1, "a"), ran(2, 5, "a")), "a")
    assert ranges.was_green(check(ran(1, 1, "b"), ran(2, 5, "a")), "a")


def test_a_run_that_does_not_tell_is_no_base() -> None:
    wide = ran(2, 3, "tests/x.py", partial=True, wide=["tests/x.py"])
    (red,) = ranges.newly_red(check(ran(1, 1), wide, ran(3, 5, "tests/a.py::a")), CHAIN)
    assert red.n == 4
    broken = ran(2, 3, outcome="broken")
    (red,) = ranges.newly_red(check(ran(1, 1), broken, ran(3, 5, "a")), CHAIN)
    assert red.n == 4


def test_a_verdict_ends_the_search_until_it_is_red_anew() -> None:
    judged = {"a": JudgedCase(position=9, verdict="new", culprit="c4")}
    assert ranges.newly_red(check(ran(1, 1), ran(2, 5, "a"), judged=judged), CHAIN) == []
    old = {"a": JudgedCase(position=1, verdict="flaky")}
    assert ranges.newly_red(check(ran(1, 1), ran(2, 5, "a"), judged=old), CHAIN)


def test_the_runs_of_the_search_are_its_observations() -> None:
    runs = [
        ran(1, 1), ran(2, 5, "a", "b"), ran(3, 3, "a", cases=["a", "b"]), ran(4, 2, cases=["b"]),
        ran(5, 5, "b"), ran(6, 4, outcome="broken"),
    ]  # fmt: skip
    (red,) = ranges.newly_red(check(*runs), CHAIN)
    seen, positions = ranges.seen_runs(check(*runs), red, "a", alone=True)
    assert seen == [SeenRun(2, True, True), SeenRun(4, False, False)]
    assert positions == [3, 5]


def test_a_file_that_cannot_be_collected_makes_its_cases_red() -> None:
    run = ran(3, 3, "t/a.py", cases=["t/a.py::x", "t/b.py::y"], wide=["t/a.py"])
    assert run.red("t/a.py::x") is True
    assert run.red("t/b.py::y") is False
    assert run.red("t/c.py::z") is None


def test_the_history_of_a_case() -> None:
    runs = [ran(i, i) for i in range(1, 5)] + [ran(5, 5, "a")]
    assert ranges.history(check(*runs), "a", 5) == CaseHistory(4, 0)
    flaky = {"a": JudgedCase(position=4, verdict="flaky")}
    runs[1] = ran(2, 2, "a")
    assert ranges.history(check(*runs, judged=flaky), "a", 5) == CaseHistory(4, 1)


def test_commits_at_which_it_broke_are_left_out() -> None:
    state = check(ran(1, 1), ran(2, 5, "a"), ran(3, 3, outcome="broken", cases=["a"]))
    (red,) = ranges.newly_red(state, CHAIN)
    left = ranges.testable(state, red, alone=True)
    assert ranges.testable(state, red, alone=False) == red
    assert [c.oid for c in left.chain] == ["c1", "c2", "c4", "c5"]
    assert [ranges.untestable_before(red, left, position) for position in (1, 2, 3)] == [0, 1, 0]


@pytest.mark.parametrize("alone", [True, False])
def test_a_run_that_does_not_tell_of_a_case_leaves_its_commit_out(alone: bool) -> None:
    cases = ["a"] if alone else None
    wide = ran(3, 3, "cargo build", wide=["cargo build"], partial=True, cases=cases)
    state = check(ran(1, 1), ran(2, 5, "a"), wide)
    (red,) = ranges.newly_red(state, CHAIN)
    assert [c.oid for c in ranges.testable(state, red, alone=alone).chain] == ["c1", "c2", "c4", "c5"]


def test_a_run_at_an_end_that_was_given_up_is_made_again_once() -> None:
    given_up = [ran(n, 5, outcome="broken") for n in (3, 4)]
    state = check(ran(1, 1), ran(2, 5, "a"), *given_up)
    (red,) = ranges.newly_red(check(*state.runs[:2]), CHAIN)
    assert ranges.testable(check(*state.runs[:3]), red, alone=False) == red
    assert ranges.testable(state, red, alone=False).n == 0


def test_what_twice_does_not_run_alone_at_head_is_run_with_the_others() -> None:
    broken = {"outcome": "broken", "cases": ["a"]}
    for more in (broken, {"wide": ["x"], "partial": True, "cases": ["a"]}):
        red_now = () if more is broken else ("x",)
        runs = [ran(1, 1), ran(2, 5, "a"), ran(3, 5, *red_now, **more), ran(4, 5, *red_now, **more)]
        (red,) = ranges.newly_red(check(*runs[:2]), CHAIN)
        assert ranges.can_be_alone(check(*runs[:3]), red), "that one may have been given up"
        assert not ranges.ran_alone(check(*runs[:3]), red)
        assert not ranges.can_be_alone(check(*runs), red)


def test_a_verdict_stands_until_the_case_was_green() -> None:
    judged = {"a": JudgedCase(position=3, verdict="new", culprit="c4"), "f": JudgedCase(position=3, verdict="flaky")}
    red = (ran(1, 1), ran(2, 4, "a", "f"))
    for later, stands in (
        ([], True), ([ran(4, 5, "a")], True), ([ran(4, 3, cases=["a"])], True), ([ran(4, 5), ran(5, 4, "a")], False),
        ([ran(4, 5, "x", partial=True)], True),
    ):  # fmt: skip
        state = check(*red, *later, judged=judged)
        assert (ranges.standing(state, "a") is not None) is stands
        assert ranges.standing(state, "f") is not None
    assert ranges.standing(check(*red), "a") is None


def test_a_wide_case_has_a_search_of_its_own() -> None:
    state = check(ran(1, 1), ran(2, 5, "a::x", "b", wide=["b"], partial=True))
    assert [r.cases for r in ranges.newly_red(state, CHAIN)] == [["a::x"], ["b"]]


def test_before_the_first_run_alone_it_may_take_as_long_as_all() -> None:
    whole, alone = ran(1, 1, seconds=90.0), ran(2, 1, cases=["a"], seconds=6.0, repeats=3)
    assert ranges.duration(check(whole), alone=True) == 90.0
    assert ranges.duration(check(whole, alone), alone=True) == 2.0
    assert ranges.duration(check(whole, alone), alone=False) == 90.0
    assert ranges.duration(check(), alone=True) == 0.0


def test_green_again() -> None:
    state = check(ran(1, 4, "a"), ran(2, 5))
    assert ranges.green_again(state, "t5", ["a"])
    assert not ranges.green_again(state, "t4", ["a"])
    assert not ranges.green_again(state, "t5", ["a"], runs=2)
    assert not ranges.green_again(check(ran(1, 5, "x", partial=True)), "t5", ["a"])
    assert ranges.green_again(check(ran(1, 5), ran(2, 4, "a")), "t5", ["a"]), "a tree of before is out again"


def test_runs_after_one_another() -> None:
    pairs = ranges.consecutive(check(ran(1, 1), ran(2, 1), ran(3, 2, cases=["a"]), ran(4, 3), ran(5, 4)))
    assert [(a.tree, b.tree) for a, b in pairs] == [("t1", "t3"), ("t3", "t4")]


def test_a_repeated_run_is_as_many_observations() -> None:
    state = check(ran(1, 1), ran(2, 5, "a"), ran(3, 3, "a", repeats=3, times={"a": 2}), ran(4, 4, repeats=2))
    (red,) = ranges.newly_red(state, CHAIN)
    seen, positions = ranges.seen_runs(state, red, "a", alone=True)
    assert [(o.position, o.red) for o in seen] == [(2, True), (2, True), (2, False), (3, False), (3, False)]
    assert positions == [3, 4]


def test_one_that_was_red_once_is_looked_into_even_if_it_is_green_by_now() -> None:
    assert ranges.newly_red(check(ran(1, 1), ran(2, 5, "a"), ran(3, 5)), CHAIN)
