"""A working directory that plants its own modules: none of them ever runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

KAIROS = Path(sys.executable).with_name("kairos")
PLANTED = (
    "sitecustomize.py",
    "usercustomize.py",
    "json.py",
    "json/__init__.py",
    "sqlite3.py",
    "msgspec/__init__.py",
    "click/__init__.py",
    "eventsourcing/__init__.py",
    "kairos/__init__.py",
    "kairos/clock.py",
    "dream/__init__.py",
    "dream/__main__.py",
    "cli/__init__.py",
    "cli/main.py",
    "_native.py",
    "rich/__init__.py",
)


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A directory full of modules that leave a mark when they run."""
    folder = tmp_path / "trap"
    for name in PLANTED:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"open({str(tmp_path / 'sprung')!r}, 'a').write({name!r} + '\\n')\n")
    (folder / "pyproject.toml").write_text("[tool.kairos]\nmodel = 'evil'\n")
    (folder / ".env").write_text("KAIROS_HOME=/nowhere\n")
    return folder


def run(trap: Path, *argv: str | Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    env = {"PATH": os.environ["PATH"], "HOME": str(trap.parent), "KAIROS_HOME": str(trap.parent / "kairos-home")}
    done = subprocess.run(argv, cwd=trap, env=env, input=given, capture_output=True, check=False, timeout=60)
    sprung = trap.parent / "sprung"
    assert not sprung.exists(), f"ran {sprung.read_text()}"
    return done


def test_the_trap_springs_on_a_plain_python(trap: Path) -> None:
    with pytest.raises(AssertionError, match=r"dream/__main__\.py"):
        run(trap, sys.executable, "-m", "dream")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "args", "status"),
    [
        ("dream", ("--help",), 0),
        ("dream", ("--dry-run", "--json"), 0),
        ("kairos.daemon.model_worker", (), 2),
        ("kairos.daemon.compacting", ("0",), 0),
        ("kairos.domain.catalogue", (), 0),
    ],
)
def test_child_processes_are_ours(trap: Path, module: str, args: tuple[str, ...], status: int) -> None:
    done = run(trap, sys.executable, "-P", "-m", module, *args)
    assert done.returncode == status, done.stderr.decode()


@pytest.mark.slow
@pytest.mark.parametrize("args", [("--version",), ("status", "--json"), ("--help",), ("tools", "--json"), ("inbox",)])
def test_the_command_is_ours(trap: Path, args: tuple[str, ...]) -> None:
    done = run(trap, KAIROS, *args)
    assert done.returncode == 0, done.stderr.decode()


def test_every_child_of_ours_is_started_with_safe_path(root: Path) -> None:
    """`-m` without `-P` puts the working directory first."""
    found = [
        f"{path.relative_to(root)}: {line.strip()}"
        for package in ("kairos", "dream", "cli")
        for path in sorted((root / package).rglob("*.py"))
        for line in path.read_text("utf-8").splitlines()
        if "sys.executable" in line and '"-m"' in line and '"-P"' not in line
    ]
    assert found == []
