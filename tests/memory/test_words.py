from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.memory.words import stem, terms


def test_paths_and_identifiers_fall_into_their_words() -> None:
    assert terms("src/PayService.py") == ["src", "pay", "servic", "py"]
    assert terms("parseHTTP2Request") == ["pars", "http", "2", "request"]
    assert terms("snake_case-and.dots") == ["snak", "cas", "dot"]


def test_letters_with_accents_belong_to_their_word_and_other_scripts_are_words_of_their_own() -> None:
    assert terms("Größe naïve łódź") == ["größe", "naïve", "łódź"]
    assert terms("kairosは速い") == ["kairo", "は速い"]


def test_words_that_say_nothing_are_left_out() -> None:
    assert terms("What is the owner of it?") == ["owner"]
    assert terms("") == []


@pytest.mark.parametrize(
    "forms",
    [
        ("deploy", "deploys", "deployed", "deploying"), ("stop", "stops", "stopped", "stopping"),
        ("cache", "caches", "cached", "caching"), ("query", "queries"), ("class", "classes"), ("box", "boxes"),
        ("quick", "quickly"), ("file", "files"), ("branch", "branches"),
    ],
)  # fmt: skip
def test_forms_of_one_word_are_one_term(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1, {form: stem(form) for form in forms}


@pytest.mark.parametrize("pair", [("status", "state"), ("string", "str"), ("bus", "but"), ("class", "clash")])
def test_different_words_stay_apart(pair: tuple[str, str]) -> None:
    assert stem(pair[0]) != stem(pair[1])


@pytest.mark.parametrize("word", ["red", "bed", "sing", "bus", "this", "is", "größe", "ed"])
def test_an_ending_that_is_the_word_itself_stays(word: str) -> None:
    assert stem(word) == word or len(stem(word)) >= 3


@given(st.text())
def test_any_text_has_terms_and_none_is_empty(text: str) -> None:
    assert all(terms(text))
