"""What is tracked, fixtures and the content of a directory tell what is generated."""

from __future__ import annotations

import pytest

from kairos.detectors.generated_signs import is_built, is_fixture, keeps_such


@pytest.mark.parametrize(
    ("rule", "tracked", "keeps"),
    [
        ("*.log", ["a/b.log"], True),
        ("*.log", ["a/b.logs", "log"], False),
        ("*.py[co]", ["a.pyc"], True),
        (".DS_Store", ["x/.DS_Store"], True),
        (".coverage", ["x.coverage"], False),
        ("node_modules/", ["a/node_modules/x"], True),
        ("node_modules/", ["a/node_modules"], False),
        ("*.egg-info/", ["a.egg-info/PKG-INFO"], True),
        ("/build/", ["build/x", "a"], True),
        ("/build/", ["a/build/x"], False),
        ("/a\\[1]/build/", ["a[1]/build/x"], True),
    ],
)
def test_a_rule_keeps_what_is_tracked_and_covered_by_it(rule, tracked, keeps):
    assert keeps_such(rule, tracked) is keeps


def test_fixtures_are_known_by_a_directory_above():
    assert [is_fixture(p) for p in ("tests/a.log", "x/TestData/a.o", "a.log", "tests", "src/data/y.log")] == [
        True, True, False, False, True,
    ]  # fmt: skip


def test_a_directory_that_is_empty_is_not_built():
    assert not is_built([], "dist", "", [])


def test_a_package_without_a_manifest_gives_no_sign_and_one_that_names_its_entry_does():
    names = [(0, "a.js", False)]
    assert not is_built(names, "dist", "", [])
    assert is_built(names, "lib/dist", '{"main": "./dist/a.js"}', [])
