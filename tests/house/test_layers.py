"""The storeys: arrows point down only, siblings never touch."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOMS = ("sensing", "detectors", "agent", "acting", "schedule")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


@pytest.mark.slow
def test_every_import_contract_is_kept(root: Path) -> None:
    done = lint(root)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.slow
def test_the_contracts_notice_a_room_that_calls_its_neighbour(root: Path, tmp_path: Path) -> None:
    for package in ("kairos", "dream", "cli"):
        for source in (root / package).rglob("*.py"):
            copy = tmp_path / source.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
    (tmp_path / "pyproject.toml").write_bytes((root / "pyproject.toml").read_bytes())
    with (tmp_path / "kairos/sensing/settle.py").open("a") as file:
        file.write("\nimport kairos.acting.gate\n")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert "kairos.sensing.settle -> kairos.acting.gate" in done.stdout


def test_every_room_of_the_house_stands_in_the_contract(root: Path) -> None:
    """A room that no contract names would be free to import anything."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    storeys = next(c for c in contracts if c["type"] == "layers")["layers"]
    named = {module.strip() for storey in storeys for module in storey.replace(":", "|").split("|")}
    built = {f"kairos.{p.name}" for p in (root / "kairos").iterdir() if (p / "__init__.py").exists()}
    assert built - named == set()
    assert {f"kairos.{room}" for room in ROOMS} <= named


def test_the_lower_storeys_never_name_the_upper_ones(trees: dict[str, ast.Module]) -> None:
    """The floor above is not even imported lazily, inside a function or for types only."""
    doors = {"cli", "dream"}
    found = [
        f"{path} → {node.module if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]}"
        for path, tree in trees.items()
        if path.startswith("kairos/")
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in doors)
        or (isinstance(node, ast.Import) and {a.name.split(".")[0] for a in node.names} & doors)
    ]
    assert found == []
