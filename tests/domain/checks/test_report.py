"""A report stays within bounds, and the id of a problem knows no line numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.checks import report as reports
from kairos.domain.checks.report import MOST_ID, bounded, case, decisive, numbered, plain_case, problem, report


def test_of_two_cases_with_one_id_the_worst_counts() -> None:
    found = report("x", [case("a", "failed"), case("a", "passed"), case("b", "skipped"), case("b", "passed")])
    assert [(c.id, c.state) for c in found.cases] == [("a", "failed"), ("b", "passed")]


def test_a_red_case_after_any_number_of_green_ones_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MOST_CASES", 3)
    some = [case(str(i), "passed") for i in range(5)] + [case("s", "skipped")]
    found = report("x", [*some, case("red", "failed"), case("4", "failed"), case("0", "failed")])
    assert sorted(c.id for c in found.failed) == ["0", "4", "red"]
    assert (found.passed, found.skipped, found.cut, found.partial) == (4, 1, 0, False)


def test_red_cases_beyond_the_bound_are_counted_and_make_the_report_partial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MOST_CASES", 3)
    found = report("x", [case(str(i), "failed") for i in range(5)])
    assert ([c.id for c in found.failed], found.cut, found.partial) == (["0", "1", "2"], 2, True)


@given(st.text(max_size=2_000))
def test_an_id_is_one_bounded_line_that_can_be_stored(name: str) -> None:
    made = bounded(name)
    assert len(made) <= MOST_ID
    assert "\n" not in made
    made.encode()


def test_long_ids_that_differ_at_the_end_stay_apart() -> None:
    assert bounded("x" * 500 + "a") != bounded("x" * 500 + "b")


def test_the_id_of_a_problem_stays_when_lines_move() -> None:
    one = problem("F401", "a.py", "unused import, line 3", 3)
    assert one.id == problem("F401", "a.py", "unused import, line 40", 40).id
    assert one.id != problem("F401", "b.py", "unused import, line 3", 3).id
    assert one.id != problem("F402", "a.py", "unused import, line 3", 3).id


def test_the_same_problem_twice_in_a_file_is_two_cases() -> None:
    twice = list(numbered([problem("E1", "a.py", "m", 1), problem("E1", "a.py", "m", 2)]))
    assert twice[1].id == f"{twice[0].id} #2"


def test_the_decisive_line_is_the_error() -> None:
    assert decisive("def test():\n>   assert f() == 1\nE   assert 2 == 1\nE    +  where\n") == "assert 2 == 1"
    assert decisive("thread 'x' panicked at src/lib.rs:3:5:\nboom") == "thread 'x' panicked at src/lib.rs:3:5:"
    unread = 'E     File "/r/a.py", line 2\nE       import x\nE       ^^^\nE   SyntaxError: from __future__ …\n'
    assert decisive(f"a.py:1: in <module>\n{unread}") == "SyntaxError: from __future__ …"
    assert decisive("  \n first\nsecond") == "first"
    assert decisive("") == ""


def test_a_problem_is_shown_without_the_hash_that_tells_it_apart() -> None:
    one, two = numbered([problem("F401", "src/a b.py", "`os` unused")] * 2)
    assert (plain_case(one.id), plain_case(two.id)) == ("F401 src/a b.py", "F401 src/a b.py #2")
    assert plain_case("t/a.py::x[45c30b231312]") == "t/a.py::x[45c30b231312]"
    assert plain_case("x 45c30b231312") == "x 45c30b231312"
