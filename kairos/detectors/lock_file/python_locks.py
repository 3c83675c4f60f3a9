"""pyproject.toml with uv.lock or poetry.lock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kairos.detectors.lock_file.lock_text import LockedPackage
from kairos.detectors.lock_file.requirements import Lacking, allows, plain_name, required_name
from kairos.domain.config_text import items, table

Table = dict[str, object]
_ZEROS = re.compile(r"(?<=\d)(?:\.0)+$")
_ELSEWHERE = frozenset({"editable", "directory", "virtual", "path", "git", "url"})
"""What uv writes in place of a specifier for what `tool.uv.sources` takes from elsewhere: any range fits."""
_SPECIFIER = re.compile(r"\s*+[A-Za-z0-9][A-Za-z0-9._-]*+\s*+(?:\[[^\]]*+\])?+\s*+\(?+([^;@()]*+)\)?+\s*+(?:;.*+)?")
"""Nothing is tried twice: a requirement may be as long as the manifest."""


def lacking_of_uv(manifest: Table, lock: Sequence[LockedPackage]) -> Iterator[Lacking]:
    """What uv.lock lacks of the project that `manifest` describes."""
    project = table(manifest.get("project"))
    name = project.get("name")
    if not isinstance(name, str):
        return
    own = [e.parsed() for e in lock if e.name == plain_name(name)]
    own = [e for e in own if {"editable", "virtual", "directory"} & table(e.get("source")).keys()]
    if len(own) != 1:
        return
    version, locked = project.get("version"), own[0].get("version")
    if isinstance(version, str) and isinstance(locked, str) and _plain(version) != _plain(locked):
        yield Lacking(plain_name(name), f"{name} is {version} and {locked} in it")
    metadata = table(own[0].get("metadata"))
    if not metadata:
        return
    holds: dict[str, set[str | None]] = {}
    groups = [items(metadata.get("requires-dist")), *map(items, table(metadata.get("requires-dev")).values())]
    for entry in (table(e) for group in groups for e in group):
        if isinstance(entry.get("name"), str):
            terms = None if _ELSEWHERE & entry.keys() else _terms(str(entry.get("specifier", "")))
            holds.setdefault(str(entry["name"]), set()).add(terms)
    yield from _compared(name, _requirements(manifest), holds)


def _compared(name: str, wanted: list[str], holds: dict[str, set[str | None]]) -> Iterator[Lacking]:
    for requirement in wanted:
        required = required_name(requirement)
        if required is None or required == plain_name(name):
            continue
        m = _SPECIFIER.fullmatch(requirement)
        if required not in holds:
            yield Lacking(required, f"{name} requires {required}")
            continue
        terms = "" if m is None or "@" in requirement or "*" in m[1] else _terms(m[1])
        if terms and m is not None and not {terms, None} & holds[required]:
            yield Lacking(required, f"{name} requires {required} {m[1].strip()}, and it was made for another range")


def _requirements(manifest: Table) -> list[str]:
    """The requirements that a project states: its own, its extras and its groups."""
    project = table(manifest.get("project"))
    lists = [items(project.get("dependencies")), *map(items, table(project.get("optional-dependencies")).values())]
    lists += map(items, table(manifest.get("dependency-groups")).values())
    lists.append(items(table(table(manifest.get("tool")).get("uv")).get("dev-dependencies")))
    return [text for one in lists for text in one if isinstance(text, str)]


def _terms(specifier: str) -> str:
    """The parts of a specifier in a fixed order, as uv writes them: `<2 >=1`, also for `>=1.0, <2.0.0`."""
    parts = (part.replace(" ", "") for part in specifier.split(",") if part.strip())
    return " ".join(sorted(part if part.startswith("~=") else _ZEROS.sub("", part) for part in parts))


def _plain(version: str) -> str:
    """A version in a form in which equal ones are equal: `1.0.0-RC.1` is `1.0.0rc1`."""
    text = version.strip().lower().lstrip("v")
    text = re.sub(r"[-_.]?(?:alpha|a)[-_.]?(?=\d)", "a", text)
    text = re.sub(r"[-_.]?(?:beta|b)[-_.]?(?=\d)", "b", text)
    text = re.sub(r"[-_.]?(?:rc|c|pre|preview)[-_.]?(?=\d)", "rc", text)
    text = re.sub(r"[-_.]?dev[-_.]?(?=\d|$)", ".dev", text)
    return re.sub(r"\.dev$", ".dev0", text)


def lacking_of_poetry(manifest: Table, lock: Sequence[LockedPackage]) -> Iterator[Lacking]:
    """What poetry.lock lacks of the project that `manifest` describes."""
    poetry = table(table(manifest.get("tool")).get("poetry"))
    versions: dict[str, list[str]] = {}
    for entry in lock:
        versions.setdefault(plain_name(entry.name), []).append(entry.version)
    groups = [table(poetry.get("dependencies")), table(poetry.get("dev-dependencies"))]
    groups += [table(table(g).get("dependencies")) for g in table(poetry.get("group")).values()]
    for name, stated in ((plain_name(n), s) for group in groups for n, s in group.items()):
        if name == "python":
            continue
        requirement = stated if isinstance(stated, str) else table(stated).get("version")
        if {"python", "markers", "platform"} & table(stated).keys():
            continue  # it may hold for no interpreter of the project
        if name not in versions:
            yield Lacking(name, f"it requires {name}")
        elif isinstance(requirement, str) and all(allows(requirement, v, bare="==") is False for v in versions[name]):
            yield Lacking(name, f"it requires {name} {requirement}, and it holds {', '.join(versions[name])}")
