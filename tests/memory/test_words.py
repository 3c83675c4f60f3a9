"""How names and text become words that can be compared."""

from __future__ import annotations

from kairos.memory.naming import stem_of
from kairos.memory.words import stem, terms


def test_tests_are_named_after_what_they_test() -> None:
    names = ("src/pay.py", "tests/test_pay.py", "pay_test.go", "web/pay.spec.ts")
    assert {stem_of(name) for name in names} == {"pay"}
    assert stem_of("a/__init__.py") == ""
    assert stem_of("test.py") == "test"


def test_forms_of_one_word_are_one_term() -> None:
    assert len({stem(w) for w in ("rename", "renames", "renamed", "renaming")}) == 1
    assert len({stem(w) for w in ("stop", "stopped", "stopping", "stops")}) == 1
    assert stem("class") == "class" and stem("bus") == "bus"


def test_paths_and_identifiers_are_taken_apart() -> None:
    assert terms("src/PayService.py") == ["src", "pay", "servic", "py"]
