"""No module imports itself by way of others: imports for types only and inside functions count."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Graph = Callable[..., dict[str, set[str]]]


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


def test_no_modules_import_each_other_in_a_circle(trees: dict[str, ast.Module], graph: Graph) -> None:
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
def test_a_planted_circle_is_found(tmp_path: Path, way: str, graph: Graph) -> None:
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
