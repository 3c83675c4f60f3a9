"""No module imports itself by way of others: imports for types only and inside functions count."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

PACKAGES = ("kairos", "dream", "cli")


def name_of(path: str) -> str:
    """The module of a file below the checkout."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(tree: ast.Module, modules: frozenset[str]) -> Iterator[str]:
    """The modules of ours that a file imports anywhere; `from package import module` is the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield from (name for name in (inner if inner in modules else node.module,) if name in modules)


def graph(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """Module → the modules that it imports."""
    modules = frozenset(name_of(path) for path in trees)
    return {name_of(path): set(imported(tree, modules)) for path, tree in trees.items()}


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """The groups of modules that reach each other, a module that imports itself included (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        path.append(name)
        for other in sorted(arrows[name]):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in path:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = path[path.index(name) :]
            del path[path.index(name) :]
            if len(group) > 1 or name in arrows[name]:
                found.append(sorted(group))

    for name in sorted(arrows):
        if name not in index:
            visit(name)
    return sorted(found)


def test_no_modules_import_each_other_in_a_circle(trees: dict[str, ast.Module]) -> None:
    arrows = graph(trees)
    assert len(arrows) > 200 and "kairos.errors" in arrows["kairos.repo.git"]
    assert circles(arrows) == []


PLANTED = {
    "at the top": "from kairos.a.two import x",
    "for types only": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from kairos.a.two import x",
    "inside a function": "def f():\n    import kairos.a.two",
    "from the package": "from kairos.a import two",
}


@pytest.mark.parametrize("way", PLANTED)
def test_a_planted_circle_is_found(tmp_path: Path, way: str) -> None:
    files = {
        "kairos/a/__init__.py": "",
        "kairos/a/one.py": PLANTED[way],
        "kairos/a/two.py": "from kairos import three\n",
        "kairos/three.py": "from kairos.a.one import y\nimport kairos.four\n",
        "kairos/four.py": "import os\n",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    trees = {path: ast.parse((tmp_path / path).read_text()) for path in files}
    assert circles(graph(trees)) == [["kairos.a.one", "kairos.a.two", "kairos.three"]]
    del trees["kairos/a/one.py"]
    assert circles(graph(trees)) == []
