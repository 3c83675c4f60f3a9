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


def planted(root: Path, into: Path, sources: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What the contracts say of a copy of the tree in which these files end with these lines."""
    for package in ("kairos", "dream", "cli"):
        for source in (root / package).rglob("*.py"):
            copy = into / source.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
    (into / "pyproject.toml").write_bytes((root / "pyproject.toml").read_bytes())
    for name, text in sources.items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        with (into / name).open("a") as file:
            file.write(f"\n{text}\n")
    return lint(into)


@pytest.mark.slow
def test_the_contracts_notice_a_room_that_calls_its_neighbour(root: Path, tmp_path: Path) -> None:
    done = planted(root, tmp_path, {"kairos/sensing/settle.py": "import kairos.acting.gate"})
    assert done.returncode == 1
    assert "kairos.sensing.settle -> kairos.acting.gate" in done.stdout


@pytest.mark.slow
def test_the_contracts_notice_a_door_that_reaches_past_the_desk_or_into_another_door(
    root: Path, tmp_path: Path
) -> None:
    doors = {
        "kairos/doors/tui/__init__.py": "", "kairos/doors/web/__init__.py": "",
        "kairos/doors/tui/app.py": "import kairos.acting.gate\nimport kairos.doors.web.server",
        "kairos/doors/web/server.py": "import cli.render\nimport kairos.desk.reading",
    }  # fmt: skip
    done = planted(root, tmp_path, doors)
    assert done.returncode == 1
    for found in ("tui.app -> kairos.acting.gate", "tui.app -> kairos.doors.web.server", "web.server -> cli.render"):
        assert found in done.stdout
    assert "kairos.doors.web.server -> kairos.desk" not in done.stdout


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
