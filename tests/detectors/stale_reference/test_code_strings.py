"""A string in code follows only if it is the whole path of a moved file, from the root or from the file."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.code_strings import follow_string
from kairos.detectors.stale_reference.moves import Moves

MOVES = Moves(
    {"data/a.txt": "data/b.txt"}, frozenset({"data/gone.txt"}), frozenset({"data/b.txt", "t/x.js", "pkg/package.json"})
)


@pytest.mark.parametrize(
    ("value", "path", "expected"),
    [
        ("data/a.txt", "t/x.js", "data/b.txt"),
        ("../data/a.txt", "t/x.js", "../data/b.txt"),
        ("a.txt", "data/x.js", None),
        ("data/a.txt.bak", "t/x.js", None),
        ("x/data/a.txt", "t/x.js", None),
        ("/data/a.txt", "t/x.js", None),
        ("https://data/a.txt", "t/x.js", None),
        ("data/gone.txt", "t/x.js", None),
        ("../data", "t/x.js", None),
        ("/", "t/x.js", None),
    ],
)
def test_a_string_follows(value, path, expected):
    assert follow_string(path, value, MOVES).new == expected


def test_in_a_package_of_its_own_it_is_a_doubt():
    assert "package" in follow_string("pkg/src/x.js", "data/a.txt", MOVES).why
