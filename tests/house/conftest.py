"""What the house checks look at: the files of this checkout, and the syntax trees of its Python."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

PACKAGES = ("kairos", "dream", "cli")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def ours(root: Path) -> list[str]:
    """Every file that is ours: tracked, or new and not ignored."""
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    return sorted({path for path in listed.split("\0") if path and (root / path).is_file()})


@pytest.fixture(scope="session")
def trees(root: Path) -> dict[str, ast.Module]:
    """Path below the checkout → syntax tree, for every file of the three packages."""
    paths = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    assert paths
    return {path.relative_to(root).as_posix(): ast.parse(path.read_text("utf-8")) for path in paths}
