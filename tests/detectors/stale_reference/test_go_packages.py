"""An import path of Go follows a package that moved as a whole."""

from __future__ import annotations

import pytest

from kairos.detectors.patching import replaced
from kairos.detectors.stale_reference.go_packages import follow_import
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.source_files import find_references

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


USER = 'package u\n\nimport "example.com/m/old"\n\nvar x = old.X(old.T{})\n'


def rewritten(path, text, moved, texts, altered=()):
    """What becomes of a file after moves; `texts`: the other files now."""
    texts = {"go.mod": "module example.com/m\n", path: text, **texts}
    moves = Moves(moved, frozenset(), frozenset(texts), altered=frozenset(altered))
    found = find_references(path, text, moves, Projects(moves, texts.get))
    return replaced(text, sorted(found.spans)), [why for _, why in found.doubts]


def test_the_uses_of_a_package_follow_what_its_files_call_it_now():
    moved, texts = {"old/a.go": "fresh/a.go"}, {"fresh/a.go": "// Package fresh.\npackage fresh\n"}
    text, doubts = rewritten("u/u.go", USER, moved, texts, altered=["old/a.go"])
    assert text == 'package u\n\nimport "example.com/m/fresh"\n\nvar x = fresh.X(fresh.T{})\n'
    assert doubts == []


def test_a_package_that_keeps_its_name_keeps_its_uses():
    text, _ = rewritten("u/u.go", USER, {"old/a.go": "fresh/a.go"}, {"fresh/a.go": "package old\n"})
    assert text == USER.replace("m/old", "m/fresh")


@pytest.mark.parametrize("name", ["o ", ". ", "_ ", "o\t", "."])
def test_the_uses_of_an_import_with_a_name_stay(name):
    user = USER.replace('"example', f'{name}"example')
    text, doubts = rewritten(
        "u/u.go", user, {"old/a.go": "fresh/a.go"}, {"fresh/a.go": "package fresh\n"}, ["old/a.go"]
    )
    assert text == user.replace("m/old", "m/fresh")
    assert doubts == []


@pytest.mark.parametrize(
    "line",
    [
        "var fresh = 1",
        "func f(old int) { old.X() }",
        'import "example.com/fresh"\nvar y = fresh.X',
        "type fresh struct{}",
    ],
)
def test_a_name_that_means_something_else_in_the_file_is_a_doubt(line):
    user = f"{USER}\n{line}\n"
    text, doubts = rewritten(
        "u/u.go", user, {"old/a.go": "fresh/a.go"}, {"fresh/a.go": "package fresh\n"}, ["old/a.go"]
    )
    assert text == user
    assert doubts == ["`old` is called `fresh` now, and the file uses one of both for something else"]


@pytest.mark.parametrize(
    "line", ["// fresh and old", 'var s = "the old // one"', "var y = z.old", "/* fresh */", "var s = `old\nfresh`"]
)
def test_a_name_in_a_comment_a_string_or_of_a_field_hides_nothing(line):
    text, doubts = rewritten(
        "u/u.go", f"{USER}\n{line}\n", {"old/a.go": "fresh/a.go"}, {"fresh/a.go": "package fresh\n"}, ["old/a.go"]
    )
    assert "fresh.X(fresh.T{})" in text
    assert text.endswith(f"\n{line}\n")
    assert doubts == []


def test_a_package_that_moved_into_another_one_takes_its_name():
    moved = {"old/a.go": "all/a.go", "old/a_test.go": "all/a_test.go"}
    texts = {"all/a.go": "package old\n", "all/a_test.go": "package old_test\n", "all/b.go": "package all\n"}
    assert rewritten("u/u.go", USER, moved, texts)[0] == USER.replace("old", "all")
    assert rewritten("all/a.go", "package old\n", moved, texts)[0] == "package all\n"
    assert rewritten("all/a_test.go", "package old_test\n", moved, texts)[0] == "package all_test\n"
    assert rewritten("all/b.go", "package all\n", moved, texts)[0] == "package all\n"


@pytest.mark.parametrize("clause", ["package main\n", "//go:build ignore\n\npackage old\n"])
def test_the_clause_of_a_program_or_of_a_file_under_a_condition_stays(clause):
    texts = {"all/a.go": clause, "all/b.go": "package all\n"}
    assert rewritten("all/a.go", clause, {"old/a.go": "all/a.go"}, texts) == (clause, [])


def test_a_directory_of_two_packages_is_a_doubt():
    texts = {"all/b.go": "package all\n", "all/c.go": "package main\n"}
    text, doubts = rewritten("all/a.go", "package old\n", {"old/a.go": "all/a.go"}, texts)
    assert (text, doubts) == ("package old\n", ["what the package of all is called is not certain"])


def test_a_package_never_imports_itself_and_nothing_twice():
    moved, texts = {"old/a.go": "all/a.go"}, {"all/a.go": "package old\n", "all/b.go": "package all\n"}
    inside = USER.replace("package u", "package all")
    assert rewritten("all/b.go", inside, moved, texts) == (inside, ["it would import its own package"])
    twice = USER.replace("\n\nvar", '\nimport "example.com/m/all"\n\nvar')
    assert rewritten("u/u.go", twice, moved, texts) == (twice, ["`example.com/m/all` is imported already"])


def test_a_test_from_outside_imports_the_package_that_it_stands_beside():
    moved = {"old/a.go": "fresh/a.go", "old/a_test.go": "fresh/a_test.go"}
    user = USER.replace("package u", "package old_test")
    text, doubts = rewritten("fresh/a_test.go", user, moved, {"fresh/a.go": "package old\n"})
    assert (text, doubts) == (user.replace("m/old", "m/fresh"), [])
    inside = user.replace("old_test", "old")
    text, doubts = rewritten("fresh/a_test.go", inside, moved, {"fresh/a.go": "package old\n"})
    assert (text, doubts) == (inside, ["it would import its own package"])


def test_an_embedded_file_follows_and_a_pattern_stays():
    texts = {"web/e.go": "", "web/static/b.txt": "", "web/x.html": ""}
    moved = {"web/static/a.txt": "web/static/b.txt"}
    user = "package web\n\n//go:embed all:static/a.txt *.html static/a.txt\nvar s string\n"
    assert rewritten("web/e.go", user, moved, texts) == (user.replace("a.txt", "b.txt"), [])


def test_what_cannot_be_embedded_from_below_is_a_doubt():
    user = "package web\n\n//go:embed a.txt\nvar s string\n"
    text, doubts = rewritten("web/e.go", user, {"web/a.txt": "doc/a.txt"}, {"doc/a.txt": ""})
    assert (text, doubts) == (user, ["doc/a.txt cannot be embedded from here"])


@pytest.mark.parametrize("piece", ['"', "`", "/*", "//", "old.", "'", '\\"', "old ", '"\\'])
def test_hostile_text_is_read_in_linear_time(piece):
    user = USER + piece * (200_000 // len(piece))
    texts = {"fresh/a.go": piece * 100_000}
    text, _ = rewritten("u/u.go", user, {"old/a.go": "fresh/a.go"}, texts, ["old/a.go"])
    assert len(text) >= len(user)


@pytest.mark.parametrize(
    ("path", "clause", "expected"),
    [("fresh/x_test.go", "old_test", True), ("fresh/x_test.go", "old", False), ("fresh/x.go", "old_test", False)],
)
def test_only_an_external_test_package_imports_the_package_beside_it(path, clause, expected):
    user = USER.replace("package u", f"package {clause}")
    moved = {"old/a.go": "fresh/a.go", path.replace("fresh", "old"): path}
    text, doubts = rewritten(path, user, moved, {"fresh/a.go": "package old\n"})
    assert text == (user.replace("m/old", "m/fresh") if expected else user)
    assert doubts == ([] if expected else ["it would import its own package"])
