"""One version for the whole wheel."""

from __future__ import annotations

import tomllib
from pathlib import Path

from kairos import _native
from kairos._version import VERSION

ROOT = Path(__file__).parents[2]


def test_python_package_native_floor_and_wheel_carry_the_same_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    assert {VERSION, project, workspace, _native.__version__} == {VERSION}
    assert f"## {VERSION}" in (ROOT / "CHANGELOG.md").read_text()
