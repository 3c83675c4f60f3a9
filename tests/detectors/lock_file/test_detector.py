"""A lock that provably lacks what its manifest asks for; everything that may be right is left alone."""

from __future__ import annotations

import json

import pytest

from kairos.detectors.lock_file.detector import LockFile
from kairos.domain.action import NoteAction

CARGO = '[package]\nname = "pay"\nversion = "1.1.0"\n[dependencies]\nserde = "1.0"\n'
LOCK = """version = 3

[[package]]
name = "pay"
version = "1.1.0"
dependencies = [
 "serde",
]

[[package]]
name = "serde"
version = "1.0.200"
source = "registry+x"
"""
UV = """version = 1

[[package]]
name = "my-app"
version = "2.0.0"
source = { editable = "." }
dependencies = [
    { name = "flask" },
]

[package.metadata]
requires-dist = [{ name = "flask", specifier = ">=2,<4" }]

[package.metadata.requires-dev]
dev = [{ name = "pytest" }]

[[package]]
name = "flask"
version = "3.0.0"
source = { registry = "x" }
"""
PROJECT = '[project]\nname = "My_App"\nversion = "2.0.0"\ndependencies = ["Flask <4, >=2"]\n'
PROJECT += '[dependency-groups]\ndev = ["pytest", {include-group = "x"}]\n'
POETRY = '[[package]]\nname = "requests"\nversion = "2.31.0"\n'
GO = "module x\n\ngo 1.21\n\nrequire (\n\tgithub.com/a/b v1.2.0\n\tgithub.com/c/d v0.1.0 // indirect\n)\n"
SUM = "github.com/a/b v1.2.0 h1:x\ngithub.com/a/b v1.2.0/go.mod h1:x\n"


def package(**changes):
    return json.dumps({"name": "x", "version": "1.0.0", "dependencies": {"left": "^1.0.0"}} | changes)


def npm_lock(**root):
    return json.dumps({"lockfileVersion": 3, "packages": {"": {"dependencies": {"left": "^1.0.0"}} | root}})


def look(scene):
    return list(LockFile().look(scene))


@pytest.fixture
def seen(repo, see):
    """seen(files…) → the findings of a commit with these files."""

    def run(**files):
        for name, text in files["files"].items():
            repo.write(name, text)
        repo.commit()
        return look(see("commit"))

    return run


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"Cargo.toml": CARGO.replace("1.1.0", "1.2.0"), "Cargo.lock": LOCK}, "pay is 1.2.0 and 1.1.0 in it"),
        ({"Cargo.toml": CARGO + 'log = "0.4"\n', "Cargo.lock": LOCK}, "pay requires log"),
        ({"Cargo.toml": CARGO.replace('"1.0"', '"2"'), "Cargo.lock": LOCK}, "requires serde 2, and it holds 1.0.200"),
        ({"Cargo.toml": CARGO + "[dev-dependencies]\ntempfile='3'\n", "Cargo.lock": LOCK}, "pay requires tempfile"),
        (
            {"Cargo.toml": CARGO + '[workspace]\nmembers = ["in/*"]\n', "Cargo.lock": LOCK,
             "in/new/Cargo.toml": '[package]\nname = "new"\nversion = "0.1.0"\n'},
            "the package new is not in it",
        ),
        ({"pyproject.toml": PROJECT.replace("2.0.0", "2.1.0"), "uv.lock": UV}, "My_App is 2.1.0 and 2.0.0 in it"),
        ({"pyproject.toml": PROJECT.replace('"Flask', '"rich", "Flask'), "uv.lock": UV}, "My_App requires rich"),
        ({"pyproject.toml": PROJECT.replace("<4", "<5"), "uv.lock": UV}, "made for another range"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.8"\nrequests = "^2.0"\nrich = "*"\n',
          "poetry.lock": POETRY}, "it requires rich"),
        ({"pyproject.toml": '[tool.poetry.group.dev.dependencies]\nrequests = "^3.0"\n', "poetry.lock": POETRY},
         "requests ^3.0, and it holds 2.31.0"),
        ({"package.json": package(devDependencies={"jest": "^29.0.0"}), "package-lock.json": npm_lock()},
         "it requires jest"),
        ({"package.json": package(dependencies={"left": "^2.0.0"}), "package-lock.json": npm_lock()},
         "left ^2.0.0, and it was made for ^1.0.0"),
        ({"package.json": package(), "package-lock.json": '{"lockfileVersion": 1, "dependencies": {}}'},
         "it requires left"),
        ({"go.mod": GO.replace("v1.2.0", "v1.3.0"), "go.sum": SUM}, "it requires github.com/a/b v1.3.0"),
    ],
)  # fmt: skip
def test_what_a_lock_provably_lacks_is_said_with_the_command_that_makes_it_anew(seen, files, why):
    (found,) = seen(files=files)
    assert isinstance(found.action, NoteAction)
    assert why in found.action.text and "Run in its folder: " in found.action.text


@pytest.mark.parametrize(
    "files",
    [
        {"Cargo.toml": CARGO, "Cargo.lock": LOCK},
        {"Cargo.toml": CARGO.replace('serde = "1.0"', 's = { package = "serde", version = "1" }'), "Cargo.lock": LOCK},
        {"Cargo.toml": CARGO.replace('"1.0"', '">=1.0, <2"'), "Cargo.lock": LOCK},
        {"Cargo.toml": CARGO.replace('"1.0"', '"1.0.0-beta"'), "Cargo.lock": LOCK},
        {"Cargo.toml": CARGO.replace('"1.1.0"', '{ workspace = true }') + '[workspace.package]\nversion = "1.1.0"\n',
         "Cargo.lock": LOCK},
        {"Cargo.toml": CARGO, "Cargo.lock": LOCK, "apart/Cargo.toml": '[package]\nname = "apart"\nversion = "1.0.0"\n'},
        {"Cargo.toml": CARGO.replace("1.1.0", "9.9.9"), "tests/fixtures/Cargo.lock": LOCK},
        {"tests/fixtures/Cargo.toml": CARGO.replace("1.1.0", "9.9.9"), "tests/fixtures/Cargo.lock": LOCK},
        {"Cargo.toml": "not toml", "Cargo.lock": LOCK},
        {"Cargo.toml": CARGO, "Cargo.lock": ""},
        {"pyproject.toml": PROJECT, "uv.lock": UV},
        {"pyproject.toml": PROJECT.replace("2.0.0", "2.0.0").replace('version = "2.0.0"', 'dynamic = ["version"]'),
         "uv.lock": UV},
        {"pyproject.toml": '[project]\nname = "another"\nversion = "1"\n', "uv.lock": UV},
        {"pyproject.toml": '[tool.poetry.dependencies]\nrequests = "^2.0"\npathlib2 = {version = "*", python = "<3"}\n',
         "poetry.lock": POETRY},
        {"package.json": package(), "package-lock.json": npm_lock()},
        {"package.json": package(peerDependencies={"react": "*"}), "package-lock.json": npm_lock()},
        {"package.json": package(dependencies="?"), "package-lock.json": npm_lock()},
        {"package.json": "[" * 100_000, "package-lock.json": npm_lock()},
        {"go.mod": GO, "go.sum": SUM},
        {"go.mod": GO.replace("v1.2.0", "v1.3.0") + "replace github.com/a/b => ../b\n", "go.sum": SUM},
        {"go.mod": GO.replace("v1.2.0", "v1.3.0")},
    ],
)  # fmt: skip
def test_what_may_be_right_is_left_alone(seen, files):
    assert seen(files=files) == []


def test_a_nested_lock_that_cargo_does_not_read_is_left_alone(seen):
    inner = {"in/Cargo.toml": CARGO.replace("pay", "other"), "in/Cargo.lock": LOCK}
    root = {"Cargo.toml": CARGO + '[workspace]\nmembers = ["x"]\n', "Cargo.lock": LOCK}
    assert seen(files=inner | root) == []


def test_one_finding_a_lock_and_the_same_one_while_less_is_missing(repo, see):
    repo.write("Cargo.toml", CARGO + 'log = "0.4"\nrand = "0.8"\n')
    repo.write("Cargo.lock", LOCK)
    repo.commit()
    (first,) = look(see("commit"))
    (whole,) = look(see("baseline"))
    assert first.key == whole.key and len(first.subjects) == 2
    repo.write(
        "Cargo.lock",
        LOCK.replace(' "serde",', ' "log",\n "serde",') + '\n[[package]]\nname = "log"\nversion = "0.4.1"\n',
    )
    repo.commit()
    (second,) = look(see("commit"))
    assert set(second.names) & set(first.names) and len(second.fingerprint) == 1
