"""Cargo.toml and Cargo.lock (the format: doc.rust-lang.org/cargo/reference)."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Iterator, Sequence

from kairos.detectors.lock_file.lock_text import LockedPackage
from kairos.detectors.lock_file.requirements import Lacking, allows
from kairos.domain.config_text import items, table

_KINDS = ("dependencies", "dev-dependencies", "build-dependencies")
Table = dict[str, object]


def lacking(
    path: str, manifest: Table, root_path: str, root: Table, lock: Sequence[LockedPackage]
) -> Iterator[Lacking]:
    """What the lock beside the workspace root `root` lacks of the package that `manifest` describes."""
    package = table(manifest.get("package"))
    name, version = package.get("name"), package.get("version")
    if not isinstance(name, str):
        return
    workspace = table(root.get("workspace"))
    if table(version).get("workspace") is True:
        version = table(workspace.get("package")).get("version")
    own = [e for e in lock if e.name == name and not e.source]
    if not own:
        if path == root_path or _is_member(path, root_path, workspace):
            yield Lacking(name, f"the package {name} is not in it")
        return
    if isinstance(version, str) and all(e.version != version for e in own):
        yield Lacking(name, f"{name} is {version} and {own[0].version} in it")
    listed = {required for e in own for required in e.requires}
    versions: dict[str, list[str]] = {}
    for entry in lock:
        versions.setdefault(entry.name, []).append(entry.version)
    kinds = _KINDS if path == root_path or "workspace" in root else tuple(k for k in _KINDS if not k.startswith("dev"))
    for key, stated in _dependencies(manifest, kinds):
        required = _resolved(key, stated, table(workspace.get("dependencies")))
        if required is None:
            continue
        wanted, requirement = required
        if wanted == name:
            continue
        if wanted not in versions or wanted not in listed:
            yield Lacking(wanted, f"{name} requires {wanted}")
        elif requirement and all(allows(requirement, v) is False for v in versions[wanted]):
            yield Lacking(wanted, f"{name} requires {wanted} {requirement}, and it holds {', '.join(versions[wanted])}")


def _dependencies(manifest: Table, kinds: Sequence[str]) -> Iterator[tuple[str, object]]:
    places = [manifest, *map(table, table(manifest.get("target")).values())]
    for place in places:
        for kind in kinds:
            yield from table(place.get(kind)).items()


def _resolved(key: str, stated: object, shared: Table) -> tuple[str, str] | None:
    """(name, requirement) of a dependency, with what it takes from the workspace; None if that is not there."""
    of = table(stated)
    if of.get("workspace") is True:
        if key not in shared:
            return None
        stated, of = shared[key], table(shared[key])
    requirement = stated if isinstance(stated, str) else of.get("version")
    name = of.get("package", key)
    if not isinstance(name, str):
        return None
    certain = isinstance(requirement, str) and "git" not in of and "path" not in of
    return name, str(requirement) if certain else ""


def _is_member(path: str, root_path: str, workspace: Table) -> bool:
    """Whether the workspace names the folder of a manifest as its member."""
    here = posixpath.relpath(posixpath.dirname(path) or ".", posixpath.dirname(root_path) or ".")
    excluded = [str(e).rstrip("/") for e in items(workspace.get("exclude"))]
    if any(here == e or here.startswith(f"{e}/") for e in excluded):
        return False
    members = [str(m).rstrip("/").removeprefix("./") for m in items(workspace.get("members"))]
    return any(fnmatch.fnmatchcase(here, m) and here.count("/") == m.count("/") for m in members)
