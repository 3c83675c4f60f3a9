"""A detector that an installed package brings runs in a process of its own, and is found without importing it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kairos.detectors.own.answers import read_answers
from kairos.detectors.own.hosted import OwnCommit

PACKAGE = """
print("imported")

def look(commit):
    for path in commit.paths:
        if "TODO" in (commit.text(path) or ""):
            yield {"path": path, "title": "A TODO"}
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder as pip installs one: a module, and the metadata with its entry point."""
    (tmp_path / "todos.py").write_text(PACKAGE.replace('print("imported")\n', ""))
    info = tmp_path / "todos-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: todos\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[kairos.detectors]\ntodo = todos:look\nlost = nowhere:look\n")
    return tmp_path


def host(package: Path, tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(package)}
    return subprocess.run(
        [sys.executable, "-P", "-m", "kairos.detectors.own.hosted", *words], cwd=tree, env=environment,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_its_findings_are_written_as_lines(package: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.py").write_text("# TODO\n")
    (tree / "q.json").write_text(json.dumps({"kairos": 1, "commit": "c", "paths": ["a.py", "gone.py"]}))
    done = host(package, tree, "todo", "q.json")
    assert done.returncode == 0, done.stderr
    assert [(a.path, a.title) for a in read_answers(done.stdout.encode())] == [("a.py", "A TODO")]
    assert host(package, tree, "nothing", "q.json").returncode == 2
    assert host(package, tree, "lost", "q.json").returncode == 1


def test_the_names_are_known_without_an_import(package: Path) -> None:
    script = "from kairos.detectors.own.hosted import installed; import sys; print(installed(), 'todos' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(package)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "['lost', 'todo'] False\n"


def test_a_file_that_cannot_be_read_as_text_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.bin").write_bytes(b"\xff\xfe")
    commit = OwnCommit("c", ["a.bin"])
    assert commit.text("a.bin") is None and commit.text("none") is None and commit.paths == ("a.bin",)
