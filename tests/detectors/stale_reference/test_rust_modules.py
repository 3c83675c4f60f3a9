"""Modules of Rust are resolved by the tree of files; a module that kept its parent is renamed, others are doubts."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.resolving import SourceReference
from kairos.detectors.stale_reference.rust_modules import resolved

NOW = {"src/lib.rs", "src/new.rs", "src/dir/mod.rs", "src/dir/inner.rs", "src/flat/mod.rs", "src/user.rs",
       "tests/it.rs", "src/dir/away.rs", "core/main.rs", "core/fresh.rs", "Cargo.toml"}  # fmt: skip
MOVES = Moves(
    {"src/old.rs": "src/new.rs", "src/dir/leaf.rs": "src/dir/inner.rs", "src/flat.rs": "src/flat/mod.rs",
     "src/away.rs": "src/dir/away.rs", "core/stale.rs": "core/fresh.rs"},
    frozenset({"src/gone.rs"}),
    frozenset(NOW),
)  # fmt: skip
TEXTS = {"Cargo.toml": '[package]\nname = "my-lib"\n[[bin]]\nname = "x"\npath = "core/main.rs"\n'}


def follow(path, kind, value):
    part = SourceReference(kind, 0, 1, value)
    return next(iter(resolved(path, [part], "", MOVES, Projects(MOVES, TEXTS.get))))[2]


@pytest.mark.parametrize(
    ("path", "kind", "value", "expected"),
    [
        ("src/lib.rs", "mod", "|old", "new"),
        ("src/lib.rs", "mod", "|flat", None),
        ("src/lib.rs", "mod", "|gone", ""),
        ("src/lib.rs", "mod", "|user", None),
        ("src/dir/mod.rs", "mod", "|leaf", "inner"),
        ("core/main.rs", "mod", "|stale", "fresh"),
        ("src/user.rs", "use", "|crate::old", "new"),
        ("src/user.rs", "use", "|crate::old::Thing", None),
        ("src/user.rs", "path", "|super::old", "new"),
        ("src/user.rs", "path", "tests|super::super::old", "new"),
        ("src/user.rs", "use", "|crate::dir::leaf", "inner"),
        ("src/user.rs", "use", "|crate::flat", None),
        ("src/lib.rs", "use", "|old", "new"),
        ("src/user.rs", "use", "|std::old", None),
        ("tests/it.rs", "use", "|my_lib::old", "new"),
        ("core/main.rs", "path", "|stale", "fresh"),
        ("src/user.rs", "include", "old.rs", "new.rs"),
        ("src/lib.rs", "file", "dir/leaf.rs", "dir/inner.rs"),
        ("src/user.rs", "path", "|super::super::super::old", None),
    ],
)
def test_a_module_follows(path, kind, value, expected):
    assert follow(path, kind, value).new == expected


def test_a_module_with_another_parent_is_a_doubt():
    assert "another module" in follow("src/user.rs", "use", "|crate::away").why
    assert "no longer a module" in follow("src/lib.rs", "mod", "|away").why
