"""Relative imports: what one means now, and how a module is named relative to a file."""

from __future__ import annotations

import ast
import posixpath

from kairos.detectors.stale_reference.modules import Modules, dotted, prefix_of


def means_now(modules: Modules, path: str, node: ast.ImportFrom, name: str, is_module: bool) -> str | None:
    """The module that the import as it is written means now: the name itself if `is_module`, otherwise the module
    that it is taken from. None if there is none, or if it is not certain which."""
    if not node.level:
        full = ".".join([node.module or "", name]) if is_module else node.module or ""
        found = modules.after.resolve(posixpath.dirname(path), full)
        return found[0].path if len(found) == 1 and modules.after.sure(found[0], posixpath.dirname(path)) else None
    here = above(posixpath.dirname(path), node.level)
    if here is None:
        return None
    base = posixpath.join(here, (node.module or "").replace(".", "/")).rstrip("/")
    if not is_module:
        return modules.after.module_at(base)
    return modules.after.module_at(posixpath.join(base, name))


def leads_to(modules: Modules, path: str, module: str, name: str, expected: str) -> bool:
    """Whether a relative (or, if it had to become one, absolute) module leads to the module path `expected`."""
    bare = module.lstrip(".")
    level = len(module) - len(bare)
    found: str | None
    if level:
        here = above(posixpath.dirname(path), level)
        base = None if here is None else posixpath.join(here, bare.replace(".", "/")).rstrip("/")
        found = None if base is None else modules.after.module_at(posixpath.join(base, name) if name else base)
        if found is None and base == expected and not name:
            return base in modules.moves.directories_now
    else:
        targets = modules.after.resolve(posixpath.dirname(path), f"{bare}.{name}" if name and bare else bare or name)
        found = targets[0].path if len(targets) == 1 else None
    return found is not None and prefix_of(found) == expected


def relative_name(modules: Modules, path: str, parent: str, level: int) -> str | None:
    """The name of a package or module path relative to this file's package, absolute if it would leave the
    package."""
    top = _above_packages(modules, path)
    climb, ups = posixpath.dirname(path), 1
    while climb and parent != climb and not parent.startswith(climb + "/"):
        climb = posixpath.dirname(climb)
        ups += 1
    packaged = climb != top and (not top or climb.startswith(top + "/"))
    if climb == posixpath.dirname(path) or (climb and (packaged or ups <= level)):
        rest = parent[len(climb) + 1 if climb else 0 :]
        name = dotted(rest) if rest else ""
        return None if name is None else "." * ups + name
    is_module = modules.after.module_at(parent) == f"{parent}.py"
    root = modules.package_root(parent if is_module else f"{parent}/x")
    if root not in modules.after.roots(posixpath.dirname(path)):
        return None
    return dotted(parent[len(root) + 1 if root else 0 :])


def _above_packages(modules: Modules, path: str) -> str:
    """The directory above the outermost package around a file. A directory without `__init__.py` below it counts to it:
    a file with relative imports is a part of a package."""
    here = posixpath.dirname(path)
    outermost = None
    while here:
        if modules.after.is_package(here):
            outermost = here
        here = posixpath.dirname(here)
    return modules.package_root(path) if outermost is None else posixpath.dirname(outermost)


def above(directory: str, level: int) -> str | None:
    """The directory that `level` leading dots mean in a file of `directory`; None if it is outside of the tree."""
    for _ in range(level - 1):
        if not directory:
            return None
        directory = posixpath.dirname(directory)
    return directory
