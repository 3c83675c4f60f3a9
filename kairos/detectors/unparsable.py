"""unparsable: a commit left a JSON, TOML or YAML file that parsed before and no longer does."""

from __future__ import annotations

import importlib
import posixpath
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from kairos.detectors.boundaries import COMMIT, IDLE_RETURN, LATER
from kairos.detectors.generated_signs import is_fixture
from kairos.detectors.maintained import is_foreign
from kairos.detectors.scene import Scene, SeenCommit
from kairos.detectors.wording import evidence, fingerprint_of, key_of
from kairos.domain.action import NoteAction
from kairos.domain.basis import basis_of
from kairos.domain.config_text import (
    DEEPEST,
    BoundedOutError,
    ConfigTextError,
    parse_json,
    parse_jsonc,
    parse_toml,
)
from kairos.domain.finding import Finding
from kairos.domain.inert import shown

_TEMPLATE = re.compile(r"\{\{|\{%|<%|\$\{[^}]{0,200}\}|@[A-Za-z_]{1,60}@|__[A-Z_]{1,60}__")
_TOML = frozenset({"Pipfile", "Cargo.lock", "poetry.lock", "uv.lock", "pdm.lock"})
_MOST = 50


class Unparsable:
    """Compares each changed file with what it was before the commit. A file that never parsed is of another kind."""

    name = "unparsable"
    version = 1
    boundaries = frozenset({COMMIT, LATER, IDLE_RETURN})

    def look(self, scene: Scene) -> Iterator[Finding]:
        seen: dict[str, tuple[SeenCommit, str]] = {}
        for commit in scene.commits:
            for change in commit.changes:
                if change.status in "MR" and commit.parents and problem_in(change.path) is not None:
                    seen.setdefault(change.path, (commit, change.was or change.path))
        for path, (commit, former) in sorted(seen.items())[:_MOST]:
            if path not in scene.tracked or path in scene.unmerged or is_fixture(path) or is_foreign(path):
                continue
            text = scene.text(path)
            find = problem_in(path)
            why = find(text) if find is not None and text is not None else None
            if why is None or find is None:
                continue
            before = scene.text_in(commit.parents[0], former)
            if before is not None and find(before) is None:
                yield self._finding(scene, path, commit, why)

    def _finding(self, scene: Scene, path: str, commit: SeenCommit, why: str) -> Finding:
        return Finding(
            detector=self.name,
            version=self.version,
            key=key_of(self.name, [path]),
            fingerprint=fingerprint_of([path]),
            basis=basis_of([[commit.oid]], present=[path]),
            title=f"{shown(path)} no longer parses",
            claim=f"{shown(path)} parsed before commit {commit.oid[:12]} and does not now: {shown(why)}.",
            action=NoteAction(repo=scene.repo, text=f"{shown(path)}: {shown(why)}"),
            evidence=evidence(scene.cause, [commit.position]),
            unchecked=["whether its reader accepts more than the format allows"],
        )


def problem_in(path: str) -> Callable[[str], str | None] | None:
    """The function that says why a text of this file's format does not parse (None: it does); None for a file of
    another format."""
    name = posixpath.basename(path)
    suffix = posixpath.splitext(name)[1].lower()
    if suffix == ".json":
        return _of_json
    if suffix == ".toml" or name in _TOML:
        return _of_toml
    return _of_yaml if suffix in (".yml", ".yaml") and _yaml() is not None else None


def _of_json(text: str) -> str | None:
    try:
        parse_json(text)
    except BoundedOutError:
        return None  # nobody knows
    except ConfigTextError as error:
        return None if _TEMPLATE.search(text) or _parses(text) or _is_lines(text) else str(error)
    return None


def _parses(text: str) -> bool:
    """Whether it is JSON, maybe with comments; True if nobody knows."""
    try:
        parse_jsonc(text)
    except ConfigTextError:
        return False
    except BoundedOutError:
        return True
    return True


def _is_lines(text: str) -> bool:
    """Whether each line is JSON by itself."""
    lines = [line for line in text.splitlines() if line.strip()]
    return len(lines) > 1 and all(map(_parses, lines))


def _of_toml(text: str) -> str | None:
    try:
        parse_toml(text)
    except BoundedOutError:
        return None
    except ConfigTextError as error:
        return None if _TEMPLATE.search(text) else str(error)
    return None


def _of_yaml(text: str) -> str | None:
    """Only events are read: nothing is constructed, and an alias is not followed. What lies deeper than DEEPEST is not
    read: libyaml takes time for each token and all that is open."""
    yaml = _yaml()
    if yaml is None or "{{" in text or "{%" in text or "<%" in text:
        return None
    try:
        open_ = 0
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            open_ += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if open_ > DEEPEST:
                return None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        return f"{getattr(error, 'problem', None) or 'not YAML'}{where}"
    return None


@cache
def _yaml() -> Any:
    """PyYAML with its parser in C, if it is installed (with the `model` extra it is)."""
    try:
        found = importlib.import_module("yaml")
    except ImportError:
        return None
    return found if hasattr(found, "CSafeLoader") else None
