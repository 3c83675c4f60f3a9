"""Well-known generated files and directories, recognised by name only, without reading the disk."""

from __future__ import annotations

import posixpath
import re

DIRECTORIES = frozenset({
    "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".pytype", ".tox", ".nox", ".hypothesis", ".eggs",
    ".ipynb_checkpoints", "htmlcov", "node_modules", "bower_components", ".nyc_output", ".parcel-cache", ".turbo",
    ".next", ".nuxt", ".svelte-kit", ".angular", ".terraform", ".gradle", ".dart_tool", ".serverless",
    ".vs", "CMakeFiles", "cmake-build-debug", "cmake-build-release", ".direnv", "__pypackages__", ".pdm-build",
})  # fmt: skip
"""Names that are generated in any directory; one rule without an anchor covers all of them."""
_EDITORS = frozenset({".idea"})
"""Directories of editors: some projects share a part of them on purpose, so only what a person keeps for themself is
taken for generated."""
_OWN = re.compile(r"/(?:workspace\.xml|usage\.statistics\.xml|tasks\.xml|shelf/|dataSources|dictionaries/)")
_UNDER_TESTS = frozenset({
    "node_modules", "bower_components", ".vs", "CMakeFiles", ".terraform", ".gradle", ".next", ".nuxt", ".svelte-kit",
    ".angular", ".eggs",
})  # fmt: skip
"""Directories that tests keep as their input."""

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
    (re.compile(r"\.(?:sqlite3?|db)-journal$"), "*-journal"),
    (re.compile(r"\.(?:sqlite3?|db)-wal$"), "*-wal"),
    (re.compile(r"\.(?:sqlite3?|db)-shm$"), "*-shm"),
    (re.compile(r"\.sqlite3$"), "*.sqlite3"),
    (re.compile(r"\.orig$"), "*.orig"),
    (re.compile(r"\.rej$"), "*.rej"),
    (re.compile(r"[^/]~$"), "*~"),
    (re.compile(r"^CMakeCache\.txt$"), "CMakeCache.txt"),
    (re.compile(r"^cmake_install\.cmake$"), "cmake_install.cmake"),
    (re.compile(r"\.suo$"), "*.suo"),
    (re.compile(r"\.(?:cs|vcx)proj\.user$"), "*proj.user"),
    (re.compile(r"^desktop\.ini$"), "desktop.ini"),
    (re.compile(r"^hs_err_pid\d+\.log$"), "hs_err_pid*.log"),
)


_TESTS = frozenset({"test", "tests", "testdata", "fixtures", "fixture", "__fixtures__", "__tests__", "spec", "e2e"})


def directory_rule(path: str) -> str | None:
    """The rule for the first generated directory in `path` (a file inside it, or the directory with a trailing /)."""
    tests = False
    for name in path.split("/")[:-1]:
        if name in DIRECTORIES and not (tests and name in _UNDER_TESTS):
            return f"{name}/"
        if name in _EDITORS and _OWN.search(path):
            return f"{name}/"
        tests = tests or name.lower() in _TESTS
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
