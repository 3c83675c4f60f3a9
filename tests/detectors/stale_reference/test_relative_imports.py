"""What a relative import means now, and how a module is named relative to a file."""

from __future__ import annotations

import ast

import pytest

from kairos.detectors.stale_reference.modules import Modules
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.relative_imports import above, leads_to, means_now, relative_name

NOW = frozenset({"a/__init__.py", "a/x.py", "a/b/__init__.py", "a/b/y.py", "top.py", "src/p/__init__.py", "src/p/q.py"})
MODULES = Modules(Moves({}, frozenset(), NOW))


def test_dots_climb_from_the_file_and_not_out_of_the_tree():
    assert [above("a/b", n) for n in (1, 2, 3, 4)] == ["a/b", "a", "", None]


@pytest.mark.parametrize(
    ("path", "parent", "level", "expected"),
    [
        ("a/b/y.py", "a/x", 1, "..x"),
        ("a/x.py", "a/b/y", 1, ".b.y"),
        ("a/x.py", "a", 1, "."),
        ("a/b/y.py", "a", 1, ".."),
        ("a/b/y.py", "src/p/q", 1, "p.q"),
        ("a/b/y.py", "top", 2, "top"),
        ("a/x.py", "a/not-a-name", 1, None),
    ],
)
def test_a_module_is_named_relative_to_the_file_within_its_package(path, parent, level, expected):
    assert relative_name(MODULES, path, parent, level) == expected


@pytest.mark.parametrize(
    ("module", "name", "expected", "leads"),
    [("..x", "", "a/x", True), ("..", "x", "a/x", True), (".x", "", "a/x", False), ("p.q", "", "src/p/q", True),
     ("....x", "", "a/x", False), (".", "", "a/b", True)],
)  # fmt: skip
def test_a_new_name_is_proven_by_where_it_leads(module, name, expected, leads):
    assert leads_to(MODULES, "a/b/y.py", module, name, expected) is leads


@pytest.mark.parametrize(
    ("statement", "name", "is_module", "meant"),
    [
        ("from .x import f", "f", False, "a/x.py"),
        ("from . import x", "x", True, "a/x.py"),
        ("from a.b import y", "y", True, "a/b/y.py"),
        ("from top import z", "z", False, "top.py"),
        ("from .gone import f", "f", False, None),
        ("from ...far import f", "f", False, None),
    ],
)
def test_what_an_import_means_now_is_known(statement, name, is_module, meant):
    (node,) = ast.parse(statement).body
    assert isinstance(node, ast.ImportFrom)
    assert means_now(MODULES, "a/x.py", node, name, is_module) == meant
