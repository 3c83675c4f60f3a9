from __future__ import annotations

import subprocess
from typing import Any

import pytest

from kairos.detectors.artifacts import directory_rule, file_rule, is_artifact

MADE = [
    "__pycache__/a.cpython-311.pyc", "deep/node_modules/x/index.js", "a/.mypy_cache/", "kairos.egg-info/PKG-INFO",
    "x/a.pyo", ".DS_Store", "sub/Thumbs.db", "logs/app.log", ".coverage", ".coverage.host.1", "coverage.xml",
    "lcov.info", "a.gcda", "default.profraw", "main.o", "A.class", ".a.txt.swp", "tsconfig.tsbuildinfo",
]  # fmt: skip


@pytest.mark.parametrize("path", MADE)
def test_a_generated_file_has_a_rule_that_git_would_ignore_it_by(path: str, repo: Any) -> None:
    rule = directory_rule(path) or file_rule(path)
    assert rule is not None and is_artifact(path)
    repo.write(".gitignore", f"{rule}\n")
    asked = subprocess.run(
        ["git", "check-ignore", "-q", "--no-index", path], cwd=repo.root, check=False, stdin=subprocess.DEVNULL
    )
    assert asked.returncode == 0, rule


@pytest.mark.parametrize(
    "path",
    ["src/main.py", "node_modules", "catalog", "dialog.py", "logs/readme.md", "a.pyx", "DS_Store", "coverage.py",
     "__pycache__.txt", "a.obj", "classes/a.java", "egg-info/x"],
)  # fmt: skip
def test_a_file_that_a_person_may_have_written_has_none(path: str) -> None:
    assert not is_artifact(path)


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("a/.idea/workspace.xml", ".idea/"), ("cmake-build-debug/x", "cmake-build-debug/"), ("CMakeCache.txt", None),
        ("x.orig", None), ("db.sqlite3", None), (".idea/codeStyles/Project.xml", None), (".vs/x", ".vs/"),
        ("tests/app/node_modules/x/y.js", None), ("tests/__pycache__/x.pyc", "__pycache__/"),
    ],
)  # fmt: skip
def test_directories_of_tools_are_generated_and_what_is_shared_or_a_fixture_is_not(path, rule):
    assert directory_rule(path) == rule


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("a/x.orig", "*.orig"), ("x.rej", "*.rej"), ("a.py~", "*~"), ("db.sqlite3", "*.sqlite3"), ("~", None),
        ("data.db-wal", "*-wal"), ("CMakeCache.txt", "CMakeCache.txt"), ("app.db", None), ("original", None),
    ],
)  # fmt: skip
def test_files_that_tools_leave_are_generated(path, rule):
    assert file_rule(path) == rule
