"""TAP, and what pytest and cargo print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.checks.report import ReportRefused
from kairos.domain.checks.text_reports import read_cargo, read_pytest, read_tap

TAP = """TAP version 13
# Subtest: adds
ok 1 - adds
  ---
  duration_ms: 0.5
  ...
not ok 2 - subtracts
ok 3 - later # SKIP not here
not ok 4 - some day # TODO
1..4
"""


def test_tap() -> None:
    found = read_tap(TAP)
    assert [(c.id, c.state) for c in found.cases] == [
        ("adds", "passed"), ("subtracts", "failed"), ("later", "skipped"), ("some day", "skipped"),
    ]  # fmt: skip


NODE = """TAP version 13
# Subtest: options
    # Subtest: parses
    ok 1 - parses
      ---
      duration_ms: 1
      ...
    # Subtest: refuses
    not ok 2 - refuses
      ---
      location: '/r/test/options.test.js:9:3'
      error: |-
        Expected values to be strictly equal:
      ...
    1..2
not ok 1 - options
  ---
  error: '1 subtest failed'
  ...
not ok 2 - alone
  ---
  error: 'boom'
  ...
ok 3 - fine
1..3
"""


def test_tap_says_why_a_case_or_its_first_subtest_failed() -> None:
    assert [(c.id, c.message) for c in read_tap(NODE).failed] == [
        ("options", "refuses: Expected values to be strictly equal:"), ("alone", "boom"),
    ]  # fmt: skip


def test_a_tap_stream_that_broke_off_is_red() -> None:
    assert [c.id for c in read_tap("1..3\nok 1 a\nok 2 b\n").failed] == ["the plan"]


PYTEST = """.F.
=========================== short test summary info ============================
FAILED tests/test_a.py::TestIn::test_bad[x y] - AssertionError: no
ERROR tests/test_b.py - ImportError
================ 1 failed, 2 passed, 1 error in 0.12s ================
"""


def test_pytest() -> None:
    found = read_pytest(PYTEST)
    assert [(c.id, c.message) for c in found.failed] == [
        ("tests/test_a.py::TestIn::test_bad[x y]", "AssertionError: no"), ("tests/test_b.py", "ImportError"),
    ]  # fmt: skip
    assert (found.passed, [c for c in found.cases if c.state == "passed"]) == (2, [])
    assert read_pytest("3 passed in 0.1s\n").failed == []


@pytest.mark.parametrize(
    ("line", "passed"),
    [
        ("=== 5 passed, 3 warnings in 62.31s (0:01:02) ===", 5),
        ("1 failed, 31000 deselected, 1 xfailed in 5s", 0),
        ("== 2 passed, 1 subtests passed in 0.10s ==", 2),
        ("9 passed in 90061.00s (1 day, 1:01:01)", 9),
        ("no tests ran in 0.01s", 0),
    ],
)
def test_every_summary_of_pytest_is_known(line: str, passed: int) -> None:
    assert read_pytest(f".\n{line}\n").passed == passed


@pytest.mark.parametrize(
    "line", ["3 passed", "3 passed in time", "it passed in 3s", "3 passed, in 1s", "3 Passed in 1s"]
)
def test_what_only_resembles_a_summary_of_pytest_is_refused(line: str) -> None:
    with pytest.raises(ReportRefused):
        read_pytest(line)


CARGO = """running 3 tests
test tests::it_adds ... ok
test tests::it_breaks ... FAILED
test tests::slow ... ignored, takes long

failures:

---- tests::it_breaks stdout ----

thread 'tests::it_breaks' (123) panicked at src/lib.rs:15:9:
assertion `left == right` failed

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

error: test failed, to rerun pass `--lib`
"""


def test_cargo() -> None:
    found = read_cargo(CARGO)
    assert [(c.id, c.state) for c in found.cases] == [
        ("tests::it_adds", "passed"), ("tests::it_breaks", "failed"), ("tests::slow", "skipped"),
    ]  # fmt: skip
    assert "left == right" in found.failed[0].message


def test_a_build_that_fails_is_one_case() -> None:
    found = read_cargo("error[E0425]: cannot find value `x` in this scope\n --> src/lib.rs:1:1\n")
    assert [(c.id, c.state) for c in found.cases] == [("cargo build", "failed")]


@given(st.text(alphabet=st.sampled_from("ok nt123.#-FAILED=test\n:passedin"), max_size=300))
def test_no_text_raises_anything_else(text: str) -> None:
    for read in (read_tap, read_pytest, read_cargo):
        try:
            read(text)
        except ReportRefused:
            pass


@pytest.mark.parametrize("read", [read_tap, read_pytest, read_cargo])
def test_other_text_is_refused(read: object) -> None:
    with pytest.raises(ReportRefused):
        read("hello\nok then\n")  # type: ignore[operator]
