"""Whether the native part is of the same build as the Python: it must have what its interface file declares."""

from __future__ import annotations

import ast
from pathlib import Path

from kairos import _native

_DECLARED = Path(__file__).parents[1] / "_native.pyi"


def missing(module: object = _native, file: Path = _DECLARED) -> list[str]:
    """What the interface file declares and the native part lacks."""
    return [name for name in declared(file) if not _has(module, name)]


def declared(file: Path = _DECLARED) -> list[str]:
    """The functions, classes and methods that an interface file declares, dotted; empty if it cannot be read."""
    try:
        tree = ast.parse(file.read_text("utf-8"))
    except (OSError, ValueError, SyntaxError):
        return []
    found: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found.append(node.name)
        elif isinstance(node, ast.ClassDef):
            found.append(node.name)
            found += [f"{node.name}.{below.name}" for below in node.body if isinstance(below, ast.FunctionDef)]
    return [name for name in found if not name.startswith("_")]  # such a class exists for the type checker alone


def _has(module: object, name: str) -> bool:
    for part in name.split("."):
        if not hasattr(module, part):
            return False
        module = getattr(module, part)
    return True
