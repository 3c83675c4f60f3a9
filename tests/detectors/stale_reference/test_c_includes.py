"""An include is followed beside its file, or below a root that the tree explains."""

from __future__ import annotations

import pytest

from kairos.detectors.patching import replaced
from kairos.detectors.stale_reference.c_includes import follow_include
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.source_files import find_references

MOVES = Moves(
    {
        "src/a.h": "src/b.h",
        "include/l/x.h": "include/l/y.h",
        "src/in.h": "deep/in.h",
        "p/s.h": "p/t.h",
        "q/s.h": "q/t.h",
    },
    frozenset({"src/gone.h"}),
    frozenset({"src/b.h", "include/l/y.h", "include/l/z.h", "deep/in.h", "src/m.c", "p/t.h", "q/t.h"}),
)


@pytest.mark.parametrize(
    ("name", "beside", "roots", "expected"),
    [
        ("a.h", True, (), "b.h"),
        ("../src/a.h", True, (), "../src/b.h"),
        ("l/x.h", True, (), "l/y.h"),
        ("l/x.h", False, (), "l/y.h"),
        ("in.h", True, (), "../deep/in.h"),
        ("in.h", True, ("deep",), None),
        ("gone.h", True, (), ""),
        ("stdio.h", False, (), None),
        ("l/z.h", False, (), None),
        ("s.h", True, (), None),
    ],
)
def test_an_include_follows(name, beside, roots, expected):
    assert follow_include("src/m.c", name, beside, MOVES, frozenset(roots)).new == expected


def test_an_include_that_could_mean_several_files_is_a_doubt():
    assert "several" in follow_include("src/m.c", "s.h", False, MOVES, frozenset()).why


def test_a_way_up_in_a_house_of_roots_is_a_doubt():
    assert "by a root" in follow_include("src/m.c", "in.h", True, MOVES, frozenset({"include"})).why


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("include/l/own.h", '#include "a.h"\n', '#include "l/b.h"\n'),
        ("include/l/own.h", '#include "kept.h"\n', '#include "kept.h"\n'),
        ("include/use.h", '#include "a.h"\n', '#include "l/b.h"\n'),
        ("src/m.c", '#include "../include/a.h"\n', '#include "../include/l/b.h"\n'),
    ],
)
def test_what_is_named_from_the_root_of_public_headers_still_is(path, text, expected):
    moved = {"include/a.h": "include/l/b.h", "include/own.h": "include/l/own.h"}
    moves = Moves(moved, frozenset(), frozenset({*moved.values(), "include/kept.h", "include/use.h", "src/m.c"}))
    found = find_references(path, text, moves, Projects(moves, {}.get))
    assert replaced(text, found.spans) == expected
    assert not found.doubts


@pytest.mark.parametrize(
    ("moved", "include", "expected"),
    [
        ({"include/tree.h": "include/l/tree.h"}, "tree.h", "l/tree.h"),
        ({"include/tree.h": "include/l/tree.h", "include/l-unix.h": "include/l/unix.h"}, "l-unix.h", "l/unix.h"),
        ({"private/tree.h": "include/l/tree.h"}, "tree.h", "l/tree.h"),
        ({"private/tree.h": "deep/l/tree.h"}, "tree.h", "tree.h"),
    ],
)
def test_a_header_is_named_from_a_root_that_the_file_used_before(moved, include, expected):
    """Where it came to is no root, though its bare name explains it."""
    kept = {"include/l.h", "private/more.h", "src/win/t.c"}
    moves = Moves(moved, frozenset(), frozenset({*moved.values(), *kept}))
    text = '#include "l.h"\n#include "more.h"\n#include "{}"\n'
    found = find_references("src/win/t.c", text.format(include), moves, Projects(moves, {}.get))
    assert replaced(text.format(include), found.spans) == text.format(expected)


@pytest.mark.parametrize(
    "text", ["#include <", "#include <>", "#include <\n", "#include ><", "#include <é>", "#include <a"]
)
def test_an_include_that_is_cut_off_is_read(text):
    moves = Moves({"a": "b"}, frozenset(), frozenset({"b"}))
    assert find_references("x.c", text, moves, Projects(moves, {}.get)).spans == []
