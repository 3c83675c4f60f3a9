"""Signs that an untracked path is generated, and signs that a person made it: what is tracked, fixtures, content."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Collection, Sequence

_FIXTURES = frozenset({
    "test", "tests", "testing", "testdata", "test-data", "test_data", "fixture", "fixtures", "__fixtures__", "spec",
    "specs", "__tests__", "sample", "samples", "example", "examples", "golden", "goldens", "snapshots", "data",
    "corpus", "resources", "mocks", "__mocks__", "testfiles", "cassettes", "seeds",
})  # fmt: skip
"""Directories whose logs and objects are input for tests, not output."""
_INPUT = _FIXTURES - {
    "test",
    "tests",
    "testing",
    "spec",
    "specs",
    "__tests__",
    "example",
    "examples",
    "sample",
    "samples",
}
_MADE = re.compile(
    r"\.(?:whl|egg|tar\.gz|tar\.bz2|tgz|zip|deb|rpm|dmg|exe|dll|so|dylib|a|o|obj|class|jar|war|pyc|wasm|map|rlib|d)$"
    r"|\.min\.(?:js|css)$|[-.][0-9a-f]{8,}\.(?:js|mjs|css)$|[-.](?=\w*\d)(?=\w*[A-Za-z])\w{8,10}\.(?:js|mjs|css)$"
    r"|^(?:CMakeCache\.txt|build\.ninja|\.ninja_(?:log|deps)|asset-manifest\.json|CACHEDIR\.TAG|\.buildinfo|objects\.inv"
    r"|cmake_install\.cmake|compile_commands\.json|config\.log|config\.status|PKG-INFO|\.tsbuildinfo)$",
    re.IGNORECASE,
)
_MADE_DIRECTORIES = re.compile(
    r"^(?:CMakeFiles|bdist\.\S+|lib\.\S+|temp\.\S+|scripts-\d\S*|lib|_next|\.doctrees|doctrees|__pycache__|meson-private"
    r"|meson-info|intermediates|outputs|classes|\S+\.egg-info)$"
)
_WRITTEN = re.compile(
    r"^(?:(?:GNU)?[Mm]akefile|CMakeLists\.txt|(?:Docker|Vagrant|Jenkins|Just)file|readme\b.*|license\b.*|package\.json"
    r"|[\w.-]*\.?(?:config|conf)\.\w+|webpack[\w.-]*\.js|gulpfile\.\w+|Gruntfile\.\w+)$"
    r"|(?<!\.d)\.(?:ts|tsx|sh|bash|ps1|bat|go|rs|c|cc|cpp|h|hpp|java|kt|rb|yml|yaml|toml|md|rst|in|tmpl|nsi|spec|plist|iss)$",
    re.IGNORECASE,
)
_NAMED = r'"(?:main|module|types|typings|bin|browser|unpkg|exports|import|require|default)"\s*:\s*"(?:\./)?{0}/'


def keeps_such(rule: str, tracked: Collection[str]) -> bool:
    """Whether something tracked would be covered by an ignore rule: then such files are not generated here."""
    body = rule.rstrip("/")
    if rule.startswith("/"):
        prefix = re.sub(r"\\(.)", r"\1", body[1:]) + "/"
        return any(path.startswith(prefix) for path in tracked)
    if rule.endswith("/"):
        inner = f"/{body}/" if "*" not in body else ""
        if inner:
            return any(inner in f"/{path}" for path in tracked)
        return any(fnmatch.fnmatchcase(part, body) for path in tracked for part in path.split("/")[:-1])
    if "*" not in body and "[" not in body:
        return any(path == body or path.endswith("/" + body) for path in tracked)
    pattern = re.compile(fnmatch.translate(body))
    return any(pattern.match(posixpath.basename(path)) for path in tracked)


def is_fixture(path: str) -> bool:
    """Whether a file lies where tests keep their input."""
    return any(part.lower() in _FIXTURES for part in path.split("/")[:-1])


def is_input(path: str) -> bool:
    """Whether a file lies where nothing but the input of tests is kept."""
    return any(part.lower() in _INPUT for part in path.split("/")[:-1])


def is_built(names: Sequence[tuple[int, str, bool]], directory: str, package: str, tracked: Collection[str]) -> bool:
    """Whether an untracked `build` or `dist` holds the output of a build and nothing that a person wrote.

    `names`: (depth, name, is a directory) of what is in it, two levels deep; `package`: the text of the package.json
    beside it."""
    if not names:
        return False
    top = [(name, is_directory) for depth, name, is_directory in names if depth == 0]
    if any(_WRITTEN.search(name) for name, is_directory in top if not is_directory and not _MADE.search(name)):
        return False
    made = any(
        _MADE_DIRECTORIES.search(name) if is_directory else _MADE.search(name) for _, name, is_directory in names
    )
    return made or _is_site(top) or _is_entry(directory, package) or _is_compiled(names, tracked)


PUBLISHED_FROM_GIT = ("bower.json", "component.json", "action.yml", "action.yaml")
"""Files of packages that are fetched from the repository itself, so that what was built must be committed: Bower,
Component, GitHub's actions."""


def is_partly_ignored(directory: str, rules: Sequence[str]) -> bool:
    """Whether a rule of the root's .gitignore names a part of a directory: then the rest of it is meant to be kept."""
    for rule in rules:
        body = rule.strip().removeprefix("!").lstrip("/")
        if body.startswith(f"{directory}/") and body.rstrip("/*") != directory:
            return True
    return False


def is_kept_elsewhere(names: Sequence[tuple[int, str, bool]], tracked: Collection[str]) -> bool:
    """Whether something in a directory that only a build makes has the name of a tracked file: such builds are kept."""
    made = {name for _, name, is_directory in names if not is_directory and _MADE.search(name)}
    return any(posixpath.basename(path) in made for path in tracked)


def _is_site(top: list[tuple[str, bool]]) -> bool:
    """Whether it looks like a built site: a page and a directory of assets."""
    files = {name for name, is_directory in top if not is_directory}
    directories = {name for name, is_directory in top if is_directory}
    return "index.html" in files and not directories.isdisjoint(
        {"assets", "static", "_static", "_next", "js", "css", "_app"}
    )


def _is_entry(directory: str, package: str) -> bool:
    """Whether the package.json beside it takes its entry from there."""
    return re.search(_NAMED.format(re.escape(posixpath.basename(directory))), package) is not None


def _is_compiled(names: Sequence[tuple[int, str, bool]], tracked: Collection[str]) -> bool:
    """Whether every script in it has a tracked source of the same name in another language."""
    stems = {
        posixpath.splitext(n)[0]
        for _, n, is_directory in names
        if not is_directory and n.endswith((".js", ".mjs", ".cjs"))
    }
    sources = {
        posixpath.splitext(posixpath.basename(p))[0] for p in tracked if p.endswith((".ts", ".tsx", ".jsx", ".coffee"))
    }
    return bool(stems) and stems <= sources
