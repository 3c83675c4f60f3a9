"""`kairos sandbox run` as a script sees it: the answer, the exit code, and the tree afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are confined on Linux only")


def kairos(home: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """(exit code, `data` of the answer or `error`)."""
    program = "import sys; from cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, "sandbox", "run", "--json", *words],
        capture_output=True,
        env={**os.environ, "KAIROS_HOME": str(home)},
    )
    if done.stdout:
        answer = json.loads(done.stdout)
        assert answer["schema"] == "kairos.sandbox/1"
        return done.returncode, answer["data"]
    return done.returncode, json.loads(done.stderr)["error"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a").write_text("one\n")
    return tree


def test_the_answer_has_the_promised_fields_and_the_tree_is_unchanged(tree: Path, tmp_path: Path) -> None:
    line = "echo out; echo err >&2; echo x > b; rm a; ln -s / l; exit 3"
    code, data = kairos(tmp_path / "home", "--root", str(tree), "--", "sh", "-c", line)
    assert code == 0
    assert {name: data[name] for name in ("exit", "signal", "timed_out", "stdout", "stderr", "truncated")} == {
        "exit": 3, "signal": None, "timed_out": False, "stdout": "out\n", "stderr": "err\n", "truncated": 0,
    }  # fmt: skip
    assert data["tier"] in ("T2", "T3") and "landlock" in data["layers"] and isinstance(data["missing"], list)
    assert data["changes"] == [
        {"path": "a", "kind": "deleted", "mode": None}, {"path": "b", "kind": "created", "mode": "100644"},
    ]  # fmt: skip
    assert data["refused"] == [{"path": "l", "why": "a symbolic link"}]
    assert [path.name for path in tree.iterdir()] == ["a"]


def test_export_applies_the_changes(tree: Path, tmp_path: Path) -> None:
    code, data = kairos(tmp_path / "home", "--export", "--root", str(tree), "--", "sh", "-c", "echo x > b; rm a")
    assert (code, data["refused"]) == (0, []) and [path.name for path in tree.iterdir()] == ["b"]


def test_limits_are_taken_from_the_flags(tree: Path, tmp_path: Path) -> None:
    home, root = tmp_path / "home", ("--root", str(tree))
    _, data = kairos(home, *root, "--wall", "0.3", "--", "sleep", "30")
    assert data["timed_out"] and data["signal"] == 9 and data["stopped"] == "wall"
    _, data = kairos(home, *root, "--out", "100", "--", "sh", "-c", "yes | head -1000")
    assert data["truncated"] == 1900
    _, data = kairos(home, *root, "--mem", "64", "--pids", "7", "--", "sh", "-c", "ulimit -d; ulimit -p")
    assert data["stdout"].split() == ["65536", "8"]


def test_what_cannot_be_confined_is_not_run(tree: Path, tmp_path: Path) -> None:
    code, error = kairos(tmp_path / "home", "--root", "/", "--", "true")
    assert (code, error["code"], error["name"]) == (1, 1, "sandbox_unavailable") and error["hint"]


def test_a_missing_command_or_tree_is_a_usage_error(tree: Path, tmp_path: Path) -> None:
    assert kairos(tmp_path / "home", "--root", str(tree), "--")[0] == 2
    assert kairos(tmp_path / "home", "--root", str(tree / "none"), "--", "true")[0] == 2


def test_flags_behind_the_dashes_are_the_command_s(tree: Path, tmp_path: Path) -> None:
    _, data = kairos(tmp_path / "home", "--root", str(tree), "--", "echo", "--wall", "3", "--json", "--help")
    assert data["stdout"] == "--wall 3 --json --help\n"


def test_a_name_that_is_not_utf_8_is_given_in_base64(tree: Path, tmp_path: Path) -> None:
    _, data = kairos(tmp_path / "home", "--root", str(tree), "--", "sh", "-c", "echo > $(printf '\\377')")
    assert data["changes"] == [{"path_b64": "/w==", "kind": "created", "mode": "100644"}]
