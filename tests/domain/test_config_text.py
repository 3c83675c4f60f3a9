"""Configuration of others is read within bounds: what is too much is no error of its format, and nothing takes long.

Nothing here measures time: what is not linear does not end within the time limit of a test.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.config_text import (
    DEEPEST,
    LARGEST,
    BoundedOutError,
    ConfigTextError,
    items,
    jsonc_table,
    parse_json,
    parse_jsonc,
    parse_toml,
    table,
    toml_table,
)

N = LARGEST
HOSTILE = {
    "a key of many parts": "a." * (N // 2 - 2) + "a=1",
    "a header of many parts": "[" + "a." * (N // 2 - 4) + "a]",
    "quoted parts": '"a".' * (N // 4 - 2) + "a=1",
    "quotes": '"' * N,
    "escaped quotes": '"\\' * (N // 2),
    "open comments": "/*" * (N // 2),
    "commas": ", " * (N // 2),
    "a comma and blanks": "," + " " * (N - 1),
    "open lists": "[" * N,
    "open tables": "a={" * (N // 3),
    "digits": "1" * N,
    "words": "a " * (N // 2),
    "dots": "." * N,
    "many small keys": ".".join("a" * (DEEPEST - 1)).join(["\n"] * (N // (2 * DEEPEST))),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("parse", [parse_toml, parse_json, parse_jsonc])
def test_a_hostile_text_ends_in_an_error_of_this_module(parse, text):
    with pytest.raises((ConfigTextError, BoundedOutError)):
        parse(text)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_toml, "a = 1\n" + "#" * N),
        (parse_json, "[" * 100_000),
        (parse_json, "9" * 5_000),
        (parse_toml, "a = " + "9" * 5_000),
        (parse_toml, "a = " + "[" * 100_000),
        (parse_toml, ".".join("a" * 60) + " = 1"),
        (parse_toml, "[" + " . ".join(["'x y'"] * 60) + "]"),
        (parse_jsonc, " " * (N + 1)),
    ],
)
def test_what_is_too_much_is_no_error_of_the_format(parse, text):
    with pytest.raises(BoundedOutError):
        parse(text)


def test_dots_in_a_value_or_a_sentence_are_no_parts_of_a_key():
    assert parse_toml('a = "' + "x y." * 1_000 + '"\n# ' + "Two words. " * 1_000)["a"].startswith("x y.")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1, // why\n "b": [2, /* c */ ], }', {"a": 1, "b": [2]}),
        ('{"a": "// no /* comment */ ,]"}', {"a": "// no /* comment */ ,]"}),
        ('["\\"//", 1,\n]', ['"//', 1]),
        ("\ufeff[1] // x", [1]),
        ("/**/[1]/***/", [1]),
        ('["a",\n// c\n]', ["a"]),
    ],
)
def test_comments_and_trailing_commas_are_left_out_and_strings_are_not(text, value):
    assert parse_jsonc(text) == value


@pytest.mark.parametrize("text", ["[1", '{"a": "x}', "/* open", '["a" "b"]', "[1] x"])
def test_what_is_no_json_even_with_comments_is_told(text):
    with pytest.raises(ConfigTextError):
        parse_jsonc(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(JSON)
def test_plain_json_means_the_same_with_and_without_comments_allowed(value):
    text = json.dumps(value, indent=1)
    assert parse_json(text) == parse_jsonc(text) == value


def test_what_cannot_be_read_or_is_another_thing_is_an_empty_table():
    assert toml_table("a = ") == toml_table("a" * (N + 1)) == jsonc_table("[1]") == jsonc_table("{") == {}
    assert toml_table("a.b = 1") == {"a": {"b": 1}} and jsonc_table('{"a": 1,}') == {"a": 1}
    assert table([1]) == table(None) == {} and items({"a": 1}) == items("ab") == []
