"""A command run confined: what it wrote stays out of the directory unless it is exported."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from kairos.desk.confining import run_confined
from kairos.desk.desk import Desk
from kairos.errors import UsageError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are confined on Linux only")
LIMITS = {"wall": 30.0, "mem_mb": 256, "pids": 32, "out": 65_536, "disk_mb": 64, "file_mb": 64}


def sh(desk: Desk, root: Path, script: str, **options: Any) -> dict[str, Any]:
    return run_confined(desk, root, ("sh", "-c", script), limits=LIMITS, **options)


@pytest.mark.parametrize("exported", [False, True])
def test_what_a_command_changed_is_told_and_applied_only_on_request(desk: Desk, repo: Any, exported: bool) -> None:
    done = sh(desk, repo.root, "echo x > new.txt; rm README.md; echo out; echo err >&2; exit 3", exported=exported)
    assert (done["exit"], done["signal"], done["stdout"], done["stderr"]) == (3, None, "out\n", "err\n")
    assert {(c["path"], c["kind"], c["mode"]) for c in done["changes"]} == {
        ("new.txt", "created", "100644"), ("README.md", "deleted", None)
    }  # fmt: skip
    assert (repo.root / "new.txt").exists() is exported
    assert (repo.root / "README.md").exists() is not exported


def test_names_and_output_of_any_bytes_are_told(desk: Desk, repo: Any) -> None:
    done = sh(desk, repo.root, "printf 'x\\377y'; echo > \"$(printf 'a\\377')\"")
    assert done["stdout"] == "x�y"
    assert [(c.get("path"), c.get("path_b64")) for c in done["changes"]] == [(None, "Yf8=")]


def test_a_directory_that_is_not_there_is_refused(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        sh(desk, tmp_path / "none", "true")
