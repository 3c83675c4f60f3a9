"""The contract finds everything that is wrong, in words, and never disagrees with what reads the right files."""

from __future__ import annotations

import datetime
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from kairos.contract import Fault, expected, line_of, problems, refusal
from kairos.domain.policy import PolicyFile
from kairos.settings import Config

SAMPLES: list[Any] = [
    None, True, False, 0, 1, 3, -1, 12, 0.0, 0.5, 3.0, 1e9, -0.1, math.inf, -math.inf, math.nan, 10**400, 2**63, 2**64,
    -(2**63), 1 << 20_000, "", " ", "3", "3.0", "true", "22-08", "9-25", "03:30", "auto", "inotify", "deny", "patch",
    "match", "a\0b", "x\n", "postgresql://h/d", "KEY", "K=V", b"x", [], ["a"], ["a\0"], [1], {}, {"a": 1},
    datetime.date(2026, 5, 1), datetime.datetime(2026, 5, 1), datetime.time(1, 2), datetime.timedelta(1),
]  # fmt: skip
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(SAMPLES), st.integers(), st.floats(), st.floats(0, 30), st.text(max_size=3)
)


def leaves(kind: Any, wrap: Callable[[Any], Any] = lambda value: value) -> Iterator[Callable[[Any], Any]]:
    """For every field below a kind, what makes a document with a value there and nothing else but what must be."""
    parts = getattr(kind, "__args__", ())
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        must: dict[str, Any] = {
            f.encode_name: "deny" if f.encode_name == "effect" else "match" if f.encode_name == "expect" else
            ["x"] if f.encode_name == "command" else "x"
            for f in msgspec.structs.fields(kind) if f.required
        }  # fmt: skip
        for field in msgspec.structs.fields(kind):
            yield from leaves(
                field.type, lambda value, field=field, must=must: wrap({**must, field.encode_name: value})
            )
    elif getattr(kind, "__origin__", None) in (list, dict):
        keyed = kind.__origin__ is dict
        yield from leaves(parts[-1], lambda value: wrap({"/a.b": value} if keyed else [value]))
    yield wrap


@pytest.mark.parametrize("kind", [Config, PolicyFile])
def test_the_contract_and_the_reader_agree_on_every_value_of_every_field(kind: Any) -> None:
    places = list(leaves(kind))
    assert len(places) > 15
    split = [(make(value), is_right(make(value), kind)) for make in places for value in SAMPLES]
    assert 50 < sum(right for _, right in split) < len(split) - 500
    assert [data for data, right in split if (problems(data, kind) == []) is not right] == []


def documents(kind: Any) -> st.SearchStrategy[Any]:
    """Documents that nearly are of a kind: right keys, a wrong one here and there, right and wrong values."""
    origin, parts = getattr(kind, "__origin__", None), getattr(kind, "__args__", ())
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = {f.encode_name: documents(f.type) for f in msgspec.structs.fields(kind)}
        right = st.fixed_dictionaries({}, optional={**fields, "wrong": SCALARS})
        return st.one_of(right, right, right, SCALARS)
    if origin is list:
        return st.one_of(st.lists(documents(parts[0]), max_size=3), SCALARS)
    if origin is dict:
        return st.one_of(st.dictionaries(st.sampled_from(["/a.b", "c"]), documents(parts[1]), max_size=2), SCALARS)
    return SCALARS


def is_right(data: Any, kind: type[msgspec.Struct]) -> bool:
    try:
        msgspec.convert(data, kind)
    except msgspec.ValidationError:
        return False
    return True


@given(documents(Config))
@settings(max_examples=400, deadline=None)
def test_the_contract_and_the_reader_of_the_configuration_agree(data: Any) -> None:
    assert (problems(data, Config) == []) is is_right(data, Config)


@given(documents(PolicyFile))
@settings(max_examples=400, deadline=None)
def test_the_contract_and_the_reader_of_a_policy_agree(data: Any) -> None:
    assert (problems(data, PolicyFile) == []) is is_right(data, PolicyFile)


@given(documents(Config))
def test_every_problem_is_short_and_names_its_key(data: Any) -> None:
    for problem in problems(data, Config):
        assert problem.key in problem.what
        assert len(str(problem)) < 500


def test_everything_wrong_is_found_at_once_with_key_value_range_and_hint() -> None:
    data = {
        "model": {"per_day_usd": math.inf, "key_env": "sk-secret", "calls_per_turn": 1.5, "nme": "x"},
        "attention": {"quiet_hours": "late"},
        "watching": 3,
        "check": {"/srv/a.b": {"seconds": -1.0, "command": ["a", 2]}, "c": {}},
        "atention": {},
    }
    assert [str(p) for p in problems(data, Config)] == [
        "attention.quiet_hours is `late`; it must be local hours HH-HH, or empty for none. The default is \"22-08\".",
        "model.key_env is not one; it must be the name of an environment variable. The default is \"\".",
        "model.per_day_usd is inf; it must be a number from 0 to 100 000. The default is 1.0.",
        "model.calls_per_turn is 1.5; it must be a whole number from 1 to 1 000. The default is 8.",
        "there is no setting `model.nme`. Did you mean `model.name`?",
        "watching is 3; it must be a table",
        'check."/srv/a.b".command[1] is 2; it must be a text without NUL',
        'check."/srv/a.b".seconds is -1.0; it must be a number from 0.1 to 86 400. The default is 600.0.',
        "check.c.command is missing. It must be a list of which each is a text without NUL.",
        "there is no setting `atention`. Did you mean `attention`?",
    ]  # fmt: skip


def test_a_document_that_is_no_table_is_told_so() -> None:
    assert [p.what for p in problems([], Config)] == ["it is not a table"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Annotated[float, Meta(ge=0, le=24)], "a number from 0 to 24"),
        (Annotated[int, Meta(ge=-5, le=1_000_000)] | None, "a whole number from -5 to 1 000 000"),
        (Literal["a", "b"], "`a` or `b`"), (bool, "true or false"), (list[str], "a list of which each is a text"),
        (dict[str, int], "a table"), (Annotated[str, Meta(description="a colour")], "a colour"),
        (Annotated[int, Meta(ge=1)], "a whole number from 1 to anything"),
    ],
)  # fmt: skip
def test_what_may_stand_in_a_field_is_said_in_words(kind: Any, words: str) -> None:
    assert expected(kind) == words


def test_one_problem_is_one_line_and_several_are_listed() -> None:
    one, two = Fault("a", "a is 1; it must be 2", "The default is 2."), Fault("b", "there is no setting `b`", "")
    error = refusal("f", [one], "Correct it.")
    assert (error.message, error.hint, error.code) == ("f: a is 1; it must be 2", "The default is 2.", 2)
    error = refusal("f", [one, two], "Correct it.")
    assert error.message.splitlines() == [
        "f: 2 errors", "  a is 1; it must be 2. The default is 2.", "  there is no setting `b`"
    ]  # fmt: skip
    assert error.hint == "Correct it."


def test_a_right_configuration_is_read_without_pydantic() -> None:
    program = (
        "import sys; from kairos.settings import parse_config; parse_config({'attention': {'per_day': 3}}, 'x');"
        "print([m for m in sys.modules if m.startswith(('pydantic', 'tomlkit'))])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


TOML = """mode = "auto"   # 1

[attention]
per_day = 3
[check."/a.b/c"]
command = [
  "x",
]
[[rule]]
name = "one"
[[rule]]
effect = "perhaps"
  examples = [{ kind = 5 }]
a.b = 1
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("mode", 1), ("attention.per_day", 4), ("attention.absent", 3), ('check."/a.b/c".command', 6),
        ('check."/a.b/c".command[0]', 6), ("rule[0].name", 10), ("rule[1].effect", 12),
        ("rule[1].examples[0].kind", 13),
        ("rule[1].name", 11), ("absent", None), ("", None), ("rule[7]", None),
    ],
)  # fmt: skip
def test_the_line_of_a_key_is_found(key: str, line: int | None) -> None:
    assert line_of(TOML, key) == line


@given(st.text(st.sampled_from('ab.[]"= \n#'), max_size=60), st.text(st.sampled_from('ab.[0]"'), max_size=10))
def test_no_text_breaks_the_search_for_a_line(text: str, key: str) -> None:
    found = line_of(text, key)
    assert found is None or 1 <= found <= text.count("\n") + 1
