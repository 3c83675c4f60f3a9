"""Well-known generated files and directories, recognised by name only, without reading the disk."""

from __future__ import annotations

import posixpath
import re

DIRECTORIES = frozenset({
    "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".pytype", ".tox", ".nox", ".hypothesis", ".eggs",
    ".ipynb_checkpoints", "htmlcov", "node_modules", "bower_components", ".nyc_output", ".parcel-cache", ".turbo",
    ".next", ".nuxt", ".svelte-kit", ".angular", ".terraform", ".gradle", ".dart_tool", ".serverless",
})  # fmt: skip
"""Names that are generated in any directory; one rule without an anchor covers all of them."""

_FILES = (
    (re.compile(r"\.py[co]$"), "*.py[co]"),
    (re.compile(r"^\.DS_Store$"), ".DS_Store"),
    (re.compile(r"^Thumbs\.db$"), "Thumbs.db"),
    (re.compile(r"\.log$"), "*.log"),
    (re.compile(r"^\.coverage$"), ".coverage"),
    (re.compile(r"^\.coverage\.[\w.-]+$"), ".coverage.*"),
    (re.compile(r"^coverage\.xml$"), "coverage.xml"),
    (re.compile(r"^lcov\.info$"), "lcov.info"),
    (re.compile(r"\.gc(?:da|no)$"), "*.gc[dn][ao]"),
    (re.compile(r"\.prof(?:raw|data)$"), "*.prof*"),
    (re.compile(r"\.o$"), "*.o"),
    (re.compile(r"\.class$"), "*.class"),
    (re.compile(r"^\..+\.sw[op]$"), ".*.sw[op]"),
    (re.compile(r"\.tsbuildinfo$"), "*.tsbuildinfo"),
    (re.compile(r"^\.eslintcache$"), ".eslintcache"),
)


def directory_rule(path: str) -> str | None:
    """The rule for the first generated directory in `path` (a file inside it, or the directory with a trailing /)."""
    for name in path.split("/")[:-1]:
        if name in DIRECTORIES:
            return f"{name}/"
        if name.endswith(".egg-info"):
            return "*.egg-info/"
    return None


def file_rule(path: str) -> str | None:
    """The rule for a generated file, by its name."""
    name = posixpath.basename(path)
    return next((rule for pattern, rule in _FILES if pattern.search(name)), None)


def is_artifact(path: str) -> bool:
    """Whether the name alone shows that the file is generated."""
    return directory_rule(path) is not None or file_rule(path) is not None
