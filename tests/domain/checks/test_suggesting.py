"""Checks are suggested from what a repository already uses."""

from __future__ import annotations

from kairos.domain.checks.suggesting import suggest


def names(*tracked: str, present: tuple[str, ...] = (), **contents: str) -> list[tuple[str, ...]]:
    files = {name.replace("__", "."): text.encode() for name, text in contents.items()}
    return [(s.kind, *s.command) for s in suggest([*tracked, *files], files, present)]


def test_python() -> None:
    text = "[tool.pytest.ini_options]\n[tool.ruff]\n[tool.mypy]\n"
    assert names(pyproject__toml=text) == [
        ("test", "python3", "-m", "pytest", "-q"), ("lint", "ruff", "check", "--output-format", "json", "."),
        ("types", "mypy"),
    ]  # fmt: skip
    assert names("tests/test_a.py", present=(".venv/bin/python",)) == [
        ("test", ".venv/bin/python", "-m", "pytest", "-q")
    ]


def test_other_languages() -> None:
    assert names(Cargo__toml="[package]") == [("test", "cargo", "test", "--offline")]
    assert names(go__mod="module m")[0] == ("test", "go", "test", "-json", "./...")
    assert names(package__json='{"scripts": {"test": "node --test"}}') == [("test", "npm", "test", "--silent")]
    assert names(package__json='{"scripts": {"test": "echo no test specified"}}') == []
    assert names(Makefile="all:\n\ntest: all\n\tx\nlint:\n") == [("test", "make", "test"), ("lint", "make", "lint")]


def test_hostile_files_suggest_nothing() -> None:
    assert names(pyproject__toml="[tool\n", package__json="[" * 10_000, Makefile="test := 1\n") == []
    assert names(package__json='{"scripts": 3}', pyproject__toml="tool = 3") == []
