"""An import path of Go follows a package that moved as a whole."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.go_packages import follow_import
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects

MOVES = Moves(
    {"old/a.go": "new/a.go", "old/sub/b.go": "new/sub/b.go", "half/a.go": "one/a.go", "half/b.go": "two/b.go",
     "part/a.go": "else/a.go", "tools/t/x.go": "tools/u/x.go"},
    frozenset({"gone/a.go"}),
    frozenset({"new/a.go", "new/sub/b.go", "one/a.go", "two/b.go", "else/a.go", "part/b.go", "go.mod", "tools/go.mod",
               "tools/u/x.go"}),
)  # fmt: skip
TEXTS = {"go.mod": "module example.com/m\n", "tools/go.mod": "module example.com/m/tools\n"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.com/m/old", "example.com/m/new"),
        ("example.com/m/old/sub", "example.com/m/new/sub"),
        ("example.com/m/tools/t", "example.com/m/tools/u"),
        ("example.com/m/part", None),
        ("example.com/m/half", None),
        ("example.com/m/gone", ""),
        ("example.com/other/old", None),
        ("fmt", None),
        ("example.com/m", None),
    ],
)
def test_an_import_path_follows(name, expected):
    assert follow_import(name, MOVES, Projects(MOVES, TEXTS.get)).new == expected


def test_a_divided_package_is_a_doubt():
    assert follow_import("example.com/m/half", MOVES, Projects(MOVES, TEXTS.get)).why == "its package was divided"


def test_before_modules_the_readme_names_the_root():
    moves = Moves({"old/a.go": "new/a.go"}, frozenset(), frozenset({"new/a.go", "README.md"}))
    texts = {"README.md": "go get github.com/me/it\n[x](https://github.com/me/it) github.com/you/other"}
    assert follow_import("github.com/me/it/old", moves, Projects(moves, texts.get)).new == "github.com/me/it/new"
    assert follow_import("github.com/you/other/old", moves, Projects(moves, texts.get)).new is None
