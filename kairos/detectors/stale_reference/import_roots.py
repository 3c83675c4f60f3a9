"""The import roots that configuration states: package directories, pythonpath, mypy_path and the like."""

from __future__ import annotations

import ast
import configparser
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kairos.detectors.stale_reference.layout import ConfiguredRoot
from kairos.detectors.stale_reference.python_source import parsed
from kairos.domain.config_text import parse_toml

NAMES = frozenset(
    {"pyproject.toml", "setup.cfg", "setup.py", "pytest.ini", "tox.ini", "mypy.ini", ".env", "pyrightconfig.json"}
)
_FINDERS = frozenset({"find_packages", "find_namespace_packages"})
_BLANKS = re.compile(r"(?<=\S)[ \t]++")
_PYTHONPATH = re.compile(r"(?m)^[ \t]*(?:export[ \t]+)?PYTHONPATH[ \t]*=[ \t]*[\"']?([^\s\"']+)")


def stated_roots(texts: Mapping[str, str]) -> frozenset[ConfiguredRoot]:
    """The import roots stated in configuration files, given as path → text. What cannot be read states none."""
    found = set()
    for path, text in texts.items():
        directory, name = posixpath.split(path)
        for value in filter(None, _values(name, text)):
            root = posixpath.normpath(posixpath.join(directory, value))
            root = "" if root == "." else root
            if not root.startswith(("..", "/")):
                found.add(ConfiguredRoot(directory, root))
    return frozenset(found)


def _values(name: str, text: str) -> list[str]:
    try:
        if name == "pyproject.toml":
            return [v for v in _pyproject(parse_toml(text)) if isinstance(v, str)]
        if name == "setup.py":
            return list(_setup_py(text))
        if name.endswith((".cfg", ".ini")):
            return list(_ini(text))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError, configparser.Error):
        # The shape of a foreign file is not to be relied on: what is odd states nothing.
        return []
    return [v for m in _PYTHONPATH.finditer(text) for v in m[1].split(":") if re.fullmatch(r"[\w./-]+", v)]


def _pyproject(document: Mapping[str, Any]) -> Iterator[Any]:
    tool = document.get("tool", {})
    setuptools = tool.get("setuptools", {})
    yield setuptools.get("package-dir", {}).get("")
    packages = setuptools.get("packages", {})
    if isinstance(packages, dict):
        yield from packages.get("find", {}).get("where", [])
    yield from _listed(tool.get("pytest", {}).get("ini_options", {}).get("pythonpath"))
    for package in tool.get("poetry", {}).get("packages", []):
        yield package.get("from")
    for target in tool.get("hatch", {}).get("build", {}).get("targets", {}).values():
        yield from (posixpath.dirname(p) for p in target.get("packages", []))
        sources = target.get("sources", [])
        yield from sources if isinstance(sources, list) else [k for k, v in sources.items() if not v]
    yield tool.get("pdm", {}).get("build", {}).get("package-dir")
    yield tool.get("maturin", {}).get("python-source")
    yield tool.get("uv", {}).get("build-backend", {}).get("module-root")
    yield from _listed(tool.get("mypy", {}).get("mypy_path"))
    yield from tool.get("pyright", {}).get("extraPaths", [])


def _ini(text: str) -> Iterator[str]:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    # The parser takes the square of a run of blanks, and such a run means nothing.
    parser.read_string(_BLANKS.sub(" ", text))
    for section, option in (
        ("options.packages.find", "where"),
        ("tool:pytest", "pythonpath"),
        ("pytest", "pythonpath"),
        ("mypy", "mypy_path"),
    ):
        yield from _listed(parser.get(section, option, fallback=None))
    for line in (parser.get("options", "package_dir", fallback=None) or "").splitlines():
        package, _, directory = line.partition("=")
        if not package.strip() and directory.strip():
            yield directory.strip()
    for section in parser.sections():
        if section.startswith("testenv"):
            for m in _PYTHONPATH.finditer(parser.get(section, "setenv", fallback=None) or ""):
                yield from (
                    v.removeprefix("{toxinidir}/") for v in m[1].split(":") if "{" not in v.removeprefix("{toxinidir}")
                )


def _setup_py(text: str) -> Iterator[str]:
    """`package_dir={"": "src"}`, `find_packages("src")` and `find_packages(where="src")`, if written as constants."""
    tree = parsed(text)
    for node in ast.walk(tree) if tree is not None else ():
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for keyword in node.keywords:
            if keyword.arg == "package_dir" and isinstance(keyword.value, ast.Dict):
                pairs = zip(keyword.value.keys, keyword.value.values, strict=True)
                yield from (_text(v) for k, v in pairs if k is not None and _text(k) == "" and _text(v))
            elif keyword.arg == "where" and called in _FINDERS:
                yield _text(keyword.value)
        if called in _FINDERS and node.args:
            yield _text(node.args[0])


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _listed(value: Any) -> Iterable[str]:
    """A value that is a list or a text with one entry a line, or separated by blanks, commas or colons."""
    if isinstance(value, list):
        return [v for v in value if isinstance(v, str)]
    return [v for v in re.split(r"[\s,:]+", value) if v] if isinstance(value, str) else []
