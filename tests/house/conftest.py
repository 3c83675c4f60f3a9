"""What the house checks look at: the files of this checkout, and the syntax trees of its Python."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterator, Mapping
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


def _module(path: str) -> str:
    """The module of a file below the checkout."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imported(tree: ast.Module, modules: frozenset[str]) -> Iterator[str]:
    """The modules of ours that a file imports anywhere; `from package import module` is the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield from (name for name in (inner if inner in modules else node.module,) if name in modules)


def _graph(trees: Mapping[str, ast.Module], among: frozenset[str] = frozenset()) -> dict[str, set[str]]:
    """Module → the modules that it imports, of these files and those `among`."""
    modules = among | {_module(path) for path in trees}
    return {_module(path): set(_imported(tree, modules)) for path, tree in trees.items()}


@pytest.fixture(scope="session")
def graph() -> Callable[..., dict[str, set[str]]]:
    """Which modules import which, told of syntax trees: imports for types only and inside functions count."""
    return _graph
