"""Checks are suggested from what a repository already uses."""

from __future__ import annotations

from kairos.domain.checks.suggesting import suggest


def names(*tracked: str, present: tuple[str, ...] = (), **contents: str) -> list[tuple[str, ...]]:
    files = {name.replace("__", "."): text.encode() for name, text in contents.items()}
    return [(s.kind, *s.command) for s in suggest([*tracked, *files], files, present)]


def test_python() -> None:
    text = "[tool.pytest.ini_options]\n[tool.ruff]\n[tool.mypy]\n"
    assert names(pyproject__toml=text) == [
        ("test", "python3", "-m", "pytest", "-q"),
        ("lint", "ruff", "check", "--no-fix", "--output-format", "json", "."), ("types", "mypy", "."),
    ]  # fmt: skip
    assert names("tests/test_a.py", present=(".venv/bin/python",)) == [
        ("test", ".venv/bin/python", "-m", "pytest", "-q")
    ]


def test_mypy_is_given_a_target_unless_it_knows_its_own() -> None:
    assert names(pyproject__toml='[tool.mypy]\nfiles = ["src"]\n') == [("types", "mypy")]
    assert names(mypy__ini="[mypy]\nstrict = True\n") == [("types", "mypy", ".")]
    assert names(mypy__ini="[mypy]\npackages = a\n") == [("types", "mypy")]


def test_other_languages() -> None:
    assert names(Cargo__toml="[package]") == [("test", "cargo", "test", "--offline")]
    assert names(go__mod="module m")[0] == ("test", "go", "test", "-json", "./...")
    assert names(package__json='{"scripts": {"test": "node --test"}}') == [("test", "npm", "test", "--silent")]
    assert names(package__json='{"scripts": {"test": "echo no test specified"}}') == []
    assert names(Makefile="all:\n\ntest: all\n\tx\nlint:\n") == [("test", "make", "test"), ("lint", "make", "lint")]


def test_scripts_that_only_look_at_the_code_and_builds_of_java() -> None:
    scripts = '{"scripts": {"test": "x", "check:lint": "eslint .", "lint": "eslint --fix .", "check:type": "tsc"}}'
    assert names(package__json=scripts) == [
        ("test", "npm", "test", "--silent"), ("lint", "npm", "run", "--silent", "check:lint"),
        ("types", "npm", "run", "--silent", "check:type"),
    ]  # fmt: skip
    assert names("pom.xml") == [("test", "mvn", "--offline", "test")]
    assert names("pom.xml", "mvnw", "build.gradle") == [("test", "./mvnw", "--offline", "test")]
    assert names("build.gradle.kts", "gradlew") == [("test", "./gradlew", "--offline", "test")]


def test_names_that_are_free_and_commands_that_are_no_check_yet() -> None:
    files = {"go.mod": b"module m", "package.json": b'{"scripts": {"test": "x"}}', "tests/test_a.py": b""}
    found = suggest(list(files), files, (), taken={"test", "test-2", "go"})
    assert [s.name for s in found] == ["test-3", "go-2", "vet", "npm"]
    again = suggest(list(files), files, (), named={("go", "vet", "./..."), ("npm", "test", "--silent")})
    assert [s.name for s in again] == ["test", "go"]
    mine = {("venv/bin/python", "-m", "pytest", "-q", "-n4"), ("env", "X=1", "go", "test", "./a")}
    assert [s.command[0] for s in suggest(list(files), files, (), named=mine)] == ["go", "npm"], (
        "only go vet is left of go"
    )


def test_task_runners_are_suggested_for_what_they_name() -> None:
    assert names(justfile="default:\n\ntest *args:\n  x\nlint:\n") == [("lint", "just", "lint")]
    assert names(justfile="test := 1\ntest:\n") == [("test", "just", "test")]
    nox = "import nox\n@nox.session(python='3')\n@other\ndef tests(session): ...\n\ndef lint(session): ...\n"
    assert names(noxfile__py=nox) == [("test", "nox", "-s", "tests")]
    assert names(tox__ini="[tox]\n[testenv]\n[testenv:lint]\n") == [
        ("test", "tox", "-e", "py"), ("lint", "tox", "-e", "lint")
    ]  # fmt: skip
    assert names(tox__ini="[flake8]\n[testenv-x]\n") == []
    assert names(Makefile="test: FLAGS = 1\ncheck:: all\n", justfile="test:\n") == [("test", "make", "check")]
    assert names(Makefile="lint:\n", tests_test_a__py="") == [("lint", "make", "lint")]
    assert names("test_a.py", Makefile="test:\nlint:\n") == [
        ("test", "python3", "-m", "pytest", "-q"), ("lint", "make", "lint")
    ]  # fmt: skip


def test_hostile_files_suggest_nothing() -> None:
    assert names(pyproject__toml="[tool\n", package__json="[" * 10_000, Makefile="test := 1\n") == []
    assert names(package__json='{"scripts": 3}', pyproject__toml="tool = 3") == []
