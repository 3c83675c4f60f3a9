"""The package of a moved Java file, before and now, is what the file and its directories say."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.java_moves import JavaMoves
from kairos.detectors.stale_reference.moves import Moves

MAIN = "src/main/java/"


def read(moved, clauses):
    moves = Moves(moved, frozenset(), frozenset({*moved.values(), *clauses}))
    return JavaMoves(moves, lambda path: clauses.get(path, ""))


@pytest.mark.parametrize(
    ("old", "new", "clauses", "full", "new_full"),
    [
        (MAIN + "a/b/X.java", MAIN + "a/b/Y.java", {MAIN + "a/b/Y.java": "a.b"}, "a.b.X", "a.b.Y"),
        (MAIN + "a/X.java", MAIN + "c/X.java", {MAIN + "c/X.java": "a"}, "a.X", "c.X"),
        (MAIN + "a/X.java", MAIN + "c/X.java", {MAIN + "c/X.java": "c"}, "a.X", "c.X"),
        ("code/a/X.java", "code/c/X.java", {"code/c/X.java": "a"}, "a.X", "c.X"),
        ("code/a/X.java", "code/c/X.java", {"code/c/X.java": "c", "code/a/K.java": "a"}, "a.X", "c.X"),
        ("m/src/main/java/a/X.java", "n/src/main/java/a/X.java", {"n/src/main/java/a/X.java": "a"}, "a.X", "a.X"),
    ],
)
def test_a_moved_type_has_its_full_name_before_and_now(old, new, clauses, full, new_full):
    found = read({old: new}, clauses).by_full[full]
    assert (found.full, found.new_full) == (full, new_full)


def test_a_name_of_more_words_belongs_to_the_type_it_begins_with():
    java = read({MAIN + "a/X.java": MAIN + "a/Y.java"}, {MAIN + "a/Y.java": "a"})
    assert java.named("a.X.Inner").new_full == "a.Y"
    assert java.named("a.Xs") is None and java.named("a") is None


def test_a_package_moved_as_a_whole_only_if_nothing_of_it_stays():
    moved = {MAIN + "a/X.java": MAIN + "c/X.java"}
    assert read(moved, {MAIN + "c/X.java": "a"}).whole == {"a": "c"}
    assert read(moved, {MAIN + "c/X.java": "a", "src/test/java/a/T.java": "a"}).whole == {}


def test_a_name_that_several_files_have_is_certain_only_if_all_of_them_went_the_same_way():
    one, other = f"m/{MAIN}a/X.java", f"n/{MAIN}a/X.java"
    to, elsewhere = f"m/{MAIN}c/X.java", f"n/{MAIN}d/X.java"
    assert read({one: to, other: elsewhere}, {to: "a", elsewhere: "a"}).by_full == {}
    assert read({one: to}, {to: "a", other: "a"}).by_full == {}
    same = read({one: to, other: f"n/{MAIN}c/X.java"}, {to: "a", f"n/{MAIN}c/X.java": "a"})
    assert same.by_full["a.X"].new_full == "c.X"
    moves = Moves({one: to}, frozenset({other}), frozenset({to}))
    assert JavaMoves(moves, lambda path: "a" if path == to else "").by_full == {}
