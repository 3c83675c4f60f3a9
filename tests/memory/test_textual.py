from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from kairos.memory.naming import stem_of
from kairos.memory.textual import inert, quoted
from kairos.memory.words import stem, terms


@given(st.text())
def test_no_text_escapes_its_code_span(text: str) -> None:
    shown = quoted(text)
    assert shown.startswith("`") and shown.endswith("`") and shown.count("`") == 2
    assert shown.isprintable() and len(shown) <= 122
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown)


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "P"], exclude_characters="`")))
def test_ordinary_names_stand_as_they_are(text: str) -> None:
    assert inert(text) == text


def test_bidi_and_zero_width_marks_are_shown_escaped() -> None:
    assert inert("a\u202eb\u200b\n`") == "a\\u202eb\\u200b\\n\\x60"


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
