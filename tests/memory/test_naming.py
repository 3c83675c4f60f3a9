from __future__ import annotations

import pytest

from kairos.memory.naming import stem_of


@pytest.mark.parametrize(
    "path",
    ["pay.py", "src/Pay.java", "tests/test_pay.py", "pay_test.go", "pay.spec.ts", "pay-spec.js", "PayTest.java",
     "tests_pay.py", "test-pay.sh", "pay_tests.rs", "_pay_.py", "pay.test.d.ts"],
)  # fmt: skip
def test_a_file_and_its_tests_are_about_the_same(path: str) -> None:
    assert stem_of(path) == "pay"


@pytest.mark.parametrize("path", ["__init__.py", "src/main.rs", "index.ts", "mod.rs", "lib/lib.rs", ".gitignore", ""])
def test_a_name_that_tells_nothing_is_about_nothing(path: str) -> None:
    assert stem_of(path) == ""


def test_a_file_that_is_only_called_test_keeps_its_name() -> None:
    assert (stem_of("test.py"), stem_of("spec.rb")) == ("test", "spec")


def test_only_one_ending_is_taken_off() -> None:
    assert stem_of("test_contest.py") == "con"
    assert stem_of("latest_test.py") == "latest"
