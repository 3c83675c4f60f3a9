"""An event of a check on one line."""

from __future__ import annotations

from kairos.desk.check_words import of_check
from kairos.domain.events import CheckJudged, CheckNamed, CheckRan, CheckRemoved, CheckStarted, FailedCase, Paused


def test_each_event_of_a_check_has_words() -> None:
    at = {"repo": "r", "check": "t", "tree": "x", "commit": "c" * 40}
    named = CheckNamed(repo="r", name="t", kind="lint", command=["ruff", "."], seconds=1, memory_mb=64)
    assert of_check(named) == "t (lint): ruff ."
    assert of_check(CheckRemoved(repo="r", name="t")) == "t"
    assert of_check(CheckStarted(**at, cases=["a"])) == "t at cccccccc, only 1 case"
    red = CheckRan(**at, outcome="failed", passed=3, failed=[FailedCase(id="a")], cut=1, seconds=2)
    assert of_check(red) == "t at cccccccc: 2 red, 3 green, 2.0 s"
    assert of_check(CheckRan(**at, outcome="broken", why="no sandbox")).startswith(
        "t at cccccccc: could not be run: no"
    )
    judged = CheckJudged(**at, cases=["a", "b"], verdict="new", culprit="d" * 40, runs=4)
    assert of_check(judged) == "t: a and 1 more: new at dddddddd (4 runs)"
    assert of_check(Paused()) == ""
