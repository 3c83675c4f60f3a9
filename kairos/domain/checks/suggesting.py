"""Which checks a repository seems to use, from its files alone. Pure: nothing of it is run, and a person names them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

import msgspec

from kairos.domain.config_text import toml_table
from kairos.domain.events import CheckKind

WANTED = (
    "pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg", "mypy.ini", "ruff.toml", ".ruff.toml", "Cargo.toml",
    "go.mod", "package.json", "tsconfig.json", "Makefile",
)  # fmt: skip
"""The files that are read."""
_TARGET = re.compile(r"^(test|check|lint)\s*:(?!=)", re.MULTILINE)
_TEST_FILE = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$")


class Suggestion(NamedTuple):
    """A check that could be named, and the file that suggests it."""

    name: str
    kind: CheckKind
    command: tuple[str, ...]
    because: str


def suggest(tracked: Collection[str], contents: Mapping[str, bytes], present: Collection[str] = ()) -> list[Suggestion]:
    """The checks of a repository. `tracked`: its paths; `contents`: of those WANTED; `present`: programs that lie in
    it, such as `.venv/bin/pytest`."""
    texts = {name: raw[: 1 << 20].decode("utf-8", "replace") for name, raw in contents.items()}
    found = [*_python(tracked, texts, present), *_rust(texts), *_go(texts), *_node(tracked, texts, present)]
    if not any(s.kind == "test" for s in found):
        found += _make(texts)
    return found


def _python(tracked: Collection[str], texts: Mapping[str, str], present: Collection[str]) -> list[Suggestion]:
    tables = toml_table(texts.get("pyproject.toml", "")).get("tool")
    tools = tables if isinstance(tables, dict) else {}
    found = []
    setup = next((n for n in ("tox.ini", "setup.cfg") if "[tool:pytest]" in texts.get(n, "")), "")
    tests = next((p for p in sorted(tracked) if _TEST_FILE.search(p)), "")
    because = "pyproject.toml" if "pytest" in tools else "pytest.ini" if "pytest.ini" in texts else setup or tests
    if because:
        venv = next((p for p in (".venv/bin/python", "venv/bin/python") if p in present), "python3")
        found.append(Suggestion("test", "test", (venv, "-m", "pytest", "-q"), because))
    ruff = next((n for n in ("ruff.toml", ".ruff.toml") if n in texts), "pyproject.toml" if "ruff" in tools else "")
    if ruff:
        found.append(
            Suggestion("ruff", "lint", (_program("ruff", present), "check", "--output-format", "json", "."), ruff)
        )
    mypy = "mypy.ini" if "mypy.ini" in texts else "pyproject.toml" if "mypy" in tools else ""
    if mypy:
        found.append(Suggestion("types", "types", (_program("mypy", present),), mypy))
    return found


def _program(name: str, present: Collection[str]) -> str:
    return next((p for p in (f".venv/bin/{name}", f"venv/bin/{name}") if p in present), name)


def _rust(texts: Mapping[str, str]) -> list[Suggestion]:
    if "Cargo.toml" not in texts:
        return []
    return [Suggestion("cargo", "test", ("cargo", "test", "--offline"), "Cargo.toml")]


def _go(texts: Mapping[str, str]) -> list[Suggestion]:
    if "go.mod" not in texts:
        return []
    return [
        Suggestion("go", "test", ("go", "test", "-json", "./..."), "go.mod"),
        Suggestion("vet", "lint", ("go", "vet", "./..."), "go.mod"),
    ]


def _node(tracked: Collection[str], texts: Mapping[str, str], present: Collection[str]) -> list[Suggestion]:
    try:
        package = msgspec.json.decode(texts.get("package.json", "{}"))
    except (msgspec.MsgspecError, RecursionError):
        return []
    scripts = package.get("scripts") if isinstance(package, dict) else None
    found = []
    if (
        isinstance(scripts, dict)
        and isinstance(scripts.get("test"), str)
        and "no test specified" not in scripts["test"]
    ):
        found.append(Suggestion("npm", "test", ("npm", "test", "--silent"), "package.json"))
    if "node_modules/.bin/eslint" in present:
        found.append(
            Suggestion("eslint", "lint", ("node_modules/.bin/eslint", "--format", "json", "."), "package.json")
        )
    if "tsconfig.json" in texts and "node_modules/.bin/tsc" in present:
        found.append(Suggestion("tsc", "types", ("node_modules/.bin/tsc", "--noEmit"), "tsconfig.json"))
    return found


def _make(texts: Mapping[str, str]) -> list[Suggestion]:
    targets = _TARGET.findall(texts.get("Makefile", ""))
    return [Suggestion(t, "lint" if t == "lint" else "test", ("make", t), "Makefile") for t in dict.fromkeys(targets)]
