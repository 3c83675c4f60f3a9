"""Patterns as people write them: a star stays within a name, two cross directories, a class never matches a slash."""

from __future__ import annotations

import pytest

from kairos.domain.globs import matches, matches_any


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.py", "a.py"), ("*.py", "deep/in/a.py"), ("node_modules", "a/node_modules/b.js"), ("a?c", "x/abc"),
        ("src/*.py", "src/a.py"), ("/src/*.py", "src/a.py"), ("src/**", "src/a/b"), ("**/a.py", "a.py"),
        ("**/a.py", "x/y/a.py"), ("src/**/a.py", "src/a.py"), ("src/**/a.py", "src/x/y/a.py"), ("[ab].c", "b.c"),
        ("[!ab].c", "c.c"), ("[^ab].c", "c.c"), ("[a", "[a"), ("a.b", "a.b"), ("a\\b", "a\\b"), ("[]]x", "]x"),
        ("*", "a\nb"), ("x/*", "x/a\nb"), ("[[]", "["),
        ("[a-c].c", "b.c"), ("[!z-a].c", "q.c"), ("[z-ab].c", "b.c"), ("[a-].c", "-.c"), ("[-a].c", "-.c"),
        ("[!]", "[!]"),
        ("[!]]", "x"), ("[^]", "[^]"), ("[a^].c", "^.c"), ("[\\d].c", "d.c"), ("[a&&b].c", "&.c"), ("[[:x:]]", "x]"),
    ],
)  # fmt: skip
def test_a_pattern_speaks_of_a_path(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.py", "a.pyc"), ("src/*.py", "src/x/a.py"), ("src/*.py", "other/src/a.py"), ("a?c", "ac"), ("x?y", "x/y"),
        ("x[/]y", "x/y"), ("x/[!a]y", "x//y"), ("src/**/a.py", "srcx/a.py"), ("a.b", "axb"), ("A.py", "a.py"),
        ("[!ab].c", "a.c"), ("a*", "ba"), ("src/**", "src"),
        ("[z-a].c", "m.c"), ("[z-a].c", "z.c"), ("[!]]", "]"), ("[!z-a]", "/"), ("[\\d].c", "4.c"), ("[a-c].c", "d.c"),
    ],
)  # fmt: skip
def test_a_pattern_does_not_speak_of_another(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


def test_letters_of_either_case_are_the_same_where_a_file_system_has_it_so() -> None:
    assert matches(".GIT/*", ".git/Config", fold=True)
    assert matches("[A].py", "a.py", fold=True)
    assert not matches(".GIT/*", ".git/config")


def test_one_of_several_patterns_is_enough() -> None:
    assert matches_any(["*.c", "*.py"], "a.py")
    assert not matches_any([], "a.py")
    assert not matches_any(["*.c", "b/*"], "a.py")
