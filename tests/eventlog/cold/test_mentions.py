"""Which texts name a path: whole, in every spelling, in time that is linear in the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.eventlog.cold.mentions import betraying, naming

NAMED = [
    "src/pay.py",
    "see src/pay.py.",
    "src/pay.py:12",
    "(src/pay.py)",
    "`src/pay.py`",
    "--- a/src/pay.py",
    "+++ b/src/pay.py\n",
    "./src/pay.py",
    "/srv/ada/r/src/pay.py",
    "file:///srv/ada/r/src/pay.py",
    "in '/srv/ada/r/src/pay.py'",
    "lib/src/pay.py src/pay.py",
    "~/src/pay.py",
]
NOT_NAMED = [
    "lib/src/pay.py",
    "src/pay.pyc",
    "src/pay.py/x",
    "src/pay.py.orig",
    "xa/src/pay.py",
    "/srv/my folder/src/pay.py",
    "../src/pay.py",
    "src\\pay.py",
]


@pytest.mark.parametrize("text", NAMED)
def test_a_path_is_found_where_it_stands_whole(text):
    assert naming(["src/pay.py"]).search(text)
    assert betraying([b"src/pay.py"]).search(text.encode())


@pytest.mark.parametrize("text", NOT_NAMED)
def test_a_part_of_another_path_is_not_it(text):
    assert not naming(["src/pay.py"]).search(text)
    assert not betraying([b"src/pay.py"]).search(text.encode())


_INNER = r"[\w./\\-]"
_PLAIN = rf"(?<!{_INNER})(?:[ab]/|\./|/(?:[^\s'\"<>|]*/)?)?(?:{{}})(?![\w/\\-]|\.\w)"
"""The same rule as one pattern, which takes quadratic time."""


@settings(max_examples=1_000, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "/", ".", " ", ":", "'", "-", "a/b", "x y"]), max_size=12).map("".join),
    st.lists(st.sampled_from(["a", "b", "a/b", "b/a", "x y", "a.b"]), min_size=1, max_size=3),
)
def test_names_are_found_as_one_pattern_would_find_them(text, names):
    wanted = re.search(_PLAIN.format("|".join(map(re.escape, names))), text) is not None
    assert naming(names).search(text) is wanted
    assert betraying([n.encode() for n in names]).search(text.encode()) is wanted


@pytest.mark.parametrize(
    "piece", [":/", "/", ":/a", "a/", "x" * 250 + "/pay.py ", "/pay.py/", ":/pay.pyx", "pay.py", " /"]
)
def test_much_hostile_text_is_read_to_its_end(piece):
    text = (piece * (250_000 // len(piece) + 1))[:250_000]
    assert not naming(["src/pay.py"]).search(text)
    assert not betraying([b"src/pay.py"]).search(text.encode())
    assert naming(["src/pay.py"]).search(f"{text} src/pay.py")


def test_many_names_of_a_folder_are_looked_for_at_once():
    named = naming([f"src/module{i}/file{i}.py" for i in range(2_000)])
    assert not named.search("see src/other.py and more\n" * 10_000)
    assert named.search("see src/module1999/file1999.py")
