"""A verdict in words, under a key that stays the same for life."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.daemon.check_findings import CANNOT_RUN, case_of, finding_of, key_of
from kairos.domain.checks.reading import WHOLE
from kairos.domain.events import CheckJudged


def judged(*cases: str, **more: Any) -> CheckJudged:
    return CheckJudged(
        **{
            "repo": "r", "check": "test", "cases": list(cases), "verdict": "new", "commit": "c" * 40, "tree": "t",
            "base": "b" * 40, "culprit": "a1" * 20, "over": 4, "runs": 3, "sure": 0.998, **more,
        }
    )  # fmt: skip


def test_a_key_gives_its_case_back() -> None:
    assert case_of(key_of("test", "t/a.py::x[a:b]")) == ("test", "t/a.py::x[a:b]")


def test_a_culprit_is_named_and_is_the_basis() -> None:
    found = finding_of(judged("t/a.py::x"), {"t/a.py::x": "assert 1 == 2"}, [7, 8, 7])
    assert found.title == "test: t/a.py::x is red since a1a1a1a1a1"
    assert "99.8% sure" in found.claim
    assert "assert 1 == 2" in found.claim
    assert found.basis is not None
    assert found.basis.commits[0].oids == ["a1" * 20]
    assert (found.evidence, found.subjects, found.at_least) == ([7, 8], [], "medium")


def test_cases_that_share_a_verdict_are_one_finding() -> None:
    found = finding_of(judged("a", "b", "c"), {}, [7])
    assert found.title == "3 cases of `test` are red since a1a1a1a1a1"
    assert found.names == [key_of("test", c) for c in "abc"]


@pytest.mark.parametrize(
    ("verdict", "word"), [("older", "earlier"), ("flaky", "flaky"), ("order", "order"), ("untested", "not be tested")]
)
def test_without_a_culprit_there_is_no_basis(verdict: str, word: str) -> None:
    found = finding_of(judged("a", verdict=verdict, culprit="", why="no sandbox"), {}, [7])
    assert found.basis is None
    assert word in found.title
    assert verdict != "untested" or "no sandbox" in found.claim


def test_the_whole_check_is_called_by_its_name() -> None:
    assert finding_of(judged(WHOLE), {}, [7]).title == "`test` is red since a1a1a1a1a1"
    assert finding_of(judged(CANNOT_RUN, verdict="untested", culprit=""), {}, [7]).title == "`test` could not be tested"


def test_another_culprit_is_another_place() -> None:
    one, two = judged("a"), judged("a", culprit="b2" * 20)
    assert finding_of(one, {}, [7]).key == finding_of(two, {}, [7]).key
    assert finding_of(one, {}, [7]).fingerprint != finding_of(two, {}, [7]).fingerprint


def test_what_a_case_said_stands_once_on_its_card() -> None:
    found = finding_of(judged("a", "b"), {"a": "assert 1 == 2", "b": "assert 3 == 4"}, [7])
    assert found.claim.count("assert 1 == 2") == 1
    assert "assert 1 == 2" not in found.action.text
    assert "assert 3 == 4" in found.action.text


def test_a_flaky_case_says_how_often_it_was_red() -> None:
    found = finding_of(judged("a", verdict="flaky", culprit="", runs=3, red=4, green=5), {}, [7])
    assert "(red 4 and green 5 times in 3 further runs)" in found.claim


def test_nothing_is_sure_altogether() -> None:
    assert "more than 99.9% sure" in finding_of(judged("a", sure=0.99999), {}, [7]).claim


def test_a_problem_is_named_without_its_hash() -> None:
    assert (
        finding_of(judged("F401 src/a.py 45c30b231312"), {}, [7]).title == "test: F401 src/a.py is red since a1a1a1a1a1"
    )
