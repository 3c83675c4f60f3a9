"""The fold of the events of checks."""

from __future__ import annotations

from typing import Any

from kairos.domain.checks import state as states
from kairos.domain.checks.state import MOST_RUNS, Checks, evolve
from kairos.domain.events import CheckJudged, CheckNamed, CheckRan, CheckRemoved, CheckStarted, Event, FailedCase


def folded(*events: Event) -> Checks:
    state = Checks()
    for position, event in enumerate(events, 1):
        evolve(state, event, position)
    return state


def named(**more: Any) -> CheckNamed:
    return CheckNamed(
        **{"repo": "r", "name": "t", "kind": "test", "command": ["x"], "seconds": 1, "memory_mb": 64, **more}
    )


def ran(tree: str = "a", **more: Any) -> CheckRan:
    return CheckRan(**{"repo": "r", "check": "t", "tree": tree, "commit": "c", "outcome": "passed", **more})


BEGUN = CheckStarted(repo="r", check="t", tree="a", commit="c")


def test_a_run_that_ended_takes_back_that_it_began() -> None:
    assert folded(named(), BEGUN, BEGUN).of("r")["t"].begun == {"a": 2}
    assert folded(named(), BEGUN, ran()).of("r")["t"].begun == {}


def test_another_command_begins_anew_and_other_limits_do_not() -> None:
    assert folded(named(), ran(), named(command=["y"])).of("r")["t"].runs == []
    kept = folded(named(), ran(), BEGUN, named(seconds=5)).of("r")["t"]
    assert len(kept.runs) == 1
    assert kept.named.seconds == 5
    assert kept.begun == {}


def test_a_removed_check_is_gone_and_its_late_run_is_not_kept() -> None:
    assert folded(named(), CheckRemoved(repo="r", name="t"), ran()).of("r") == {}


def test_the_oldest_runs_fall_away() -> None:
    state = folded(named(), *[ran(str(i)) for i in range(MOST_RUNS + 5)])
    runs = state.of("r")["t"].runs
    assert (len(runs), runs[0].tree) == (MOST_RUNS, "5")


def test_the_oldest_verdicts_fall_away(monkeypatch: Any) -> None:
    monkeypatch.setattr(states, "_MOST_JUDGED", 2)
    judged = [
        CheckJudged(repo="r", check="t", cases=[name], verdict="new", commit="c", tree="a", culprit="k")
        for name in "zyx"
    ]
    assert sorted(folded(named(), *judged).of("r")["t"].judged) == ["x", "y"]


def test_what_a_run_tells_of_a_case() -> None:
    run = folded(named(), ran(outcome="failed", failed=[FailedCase(id="a", message="m")])).of("r")["t"].runs[0]
    assert (run.red("a"), run.red("b")) == (True, False)
    assert folded(named(), ran(outcome="broken")).of("r")["t"].runs[0].red("a") is None
    assert folded(named(), ran(partial=True)).of("r")["t"].runs[0].red("a") is None


def test_the_runs_of_a_check_stay_within_bounds_however_much_is_red() -> None:
    failed = [FailedCase(id=f"{n:05}" + "x" * 295, message="m" * 400) for n in range(300)]
    runs = [ran(str(i), outcome="failed", failed=failed) for i in range(MOST_RUNS)]
    kept = folded(named(), *runs).of("r")["t"].runs
    assert sum(len(id) + len(text) for run in kept for id, text in run.failed.items()) <= states.MOST_TEXT
    assert [run.tree for run in kept] == [str(i) for i in range(MOST_RUNS)][-len(kept) :]
    assert len(kept) > 10


def test_old_messages_fall_away_before_runs_do() -> None:
    failed = [FailedCase(id="x", message="m")]
    kept = folded(named(), *[ran(str(i), outcome="failed", failed=failed) for i in range(100)]).of("r")["t"].runs
    assert [run.failed["x"] for run in kept] == [""] * 60 + ["m"] * 40


def test_the_last_runs_are_kept_however_large_they_are() -> None:
    failed = [FailedCase(id=f"{n:05}" + "x" * 295) for n in range(20_000)]
    kept = folded(named(), *[ran(str(i), outcome="failed", failed=failed) for i in range(4)]).of("r")["t"].runs
    assert len(kept) == 2
