"""Which checks a repository seems to use, from its files alone. Pure: nothing of it is run, and a person names them."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Mapping, Sequence
from itertools import chain, count
from typing import NamedTuple

import msgspec

from kairos.domain.checks.runners import runner_of
from kairos.domain.config_text import toml_table
from kairos.domain.events import CheckKind

WANTED = (
    "pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg", "mypy.ini", "ruff.toml", ".ruff.toml", "Cargo.toml",
    "go.mod", "package.json", "tsconfig.json", "Makefile", "GNUmakefile", "makefile", "justfile", "Justfile",
    ".justfile", "noxfile.py",
)  # fmt: skip
"""The files that are read."""
_TARGET = re.compile(r"^(tests?|check|lint)[ \t]*::?(?!=)(?![ \t]*\w+[ \t]*[:+?]?=)", re.MULTILINE)
_RECIPE = re.compile(r"^@?(tests?|check|lint)[ \t]*:(?!=)", re.MULTILINE)
_SESSION = re.compile(r"^@nox\.session\b[^\n]*\n(?:@[^\n]*\n){0,9}def (tests?|check|lint)\(", re.MULTILINE)
_TOX_ENV = re.compile(r"^\[testenv(?::(tests?|check|lint|py\d{0,3}))?\][ \t]*$", re.MULTILINE)
_GRADLE = ("build.gradle", "build.gradle.kts")
_SCRIPTS: Mapping[CheckKind, Sequence[str]] = {
    "lint": ("lint", "check:lint", "eslint"),
    "types": ("typecheck", "type-check", "check:type", "check:types", "check-types", "types"),
}
"""What scripts of package.json are called that look at the code, and change nothing."""
_TARGETS = frozenset({"files", "packages", "modules"})
_TARGET_LINE = re.compile(r"^(?:files|packages|modules)[ \t]*=", re.MULTILINE)
"""Where mypy is told what to look at: without it, it asks for a target."""
_TEST_FILE = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$")


class Suggestion(NamedTuple):
    """A check that could be named, and the file that suggests it."""

    name: str
    kind: CheckKind
    command: tuple[str, ...]
    because: str


def suggest(
    tracked: Collection[str], contents: Mapping[str, bytes], present: Collection[str] = (), taken: Collection[str] = (),
    named: Collection[tuple[str, ...]] = (),
) -> list[Suggestion]:  # fmt: skip
    """The checks of a repository. `tracked`: its paths; `contents`: of those WANTED; `present`: programs that lie in
    it, such as `.venv/bin/pytest`; `taken`: names that they must not have; `named`:
    commands that are checks already; of a runner that one of them calls, none is suggested."""
    texts = {name: raw[: 1 << 20].decode("utf-8", "replace") for name, raw in contents.items()}
    found = [
        *_python(tracked, texts, present), *_rust(texts), *_go(texts), *_java(tracked),
        *_node(tracked, texts, present),
    ]  # fmt: skip
    kinds = {s.kind for s in found}
    found += [s for s in _task_runners(texts) if s.kind not in kinds]
    runners = {runner.name for runner in map(runner_of, named) if runner is not None}
    new = [s for s in found if s.command not in named and _runner(s.command) not in runners]
    return _with_free_names(new, taken)


def _runner(command: Sequence[str]) -> str:
    runner = runner_of(command)
    return "" if runner is None else runner.name


def _with_free_names(found: Sequence[Suggestion], taken: Collection[str]) -> list[Suggestion]:
    """The suggestions, each with a name that no check has, and no other of them."""
    used = set(taken)
    out = []
    for one in found:
        name = free_name(one.name, used)
        used.add(name)
        out.append(one._replace(name=name))
    return out


def free_name(name: str, taken: Container[str]) -> str:
    """The name, with a number behind it if it is taken."""
    return next(n for n in chain([name], (f"{name}-{i}" for i in count(2))) if n not in taken)


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
            Suggestion(
                "ruff", "lint", (_program("ruff", present), "check", "--no-fix", "--output-format", "json", "."), ruff
            )
        )
    mypy = "mypy.ini" if "mypy.ini" in texts else "pyproject.toml" if "mypy" in tools else ""
    if mypy:
        table = tools.get("mypy") if mypy == "pyproject.toml" else None
        told = not _TARGETS.isdisjoint(table) if isinstance(table, dict) else _TARGET_LINE.search(texts.get(mypy, ""))
        found.append(Suggestion("types", "types", (_program("mypy", present), *([] if told else ["."])), mypy))
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


def _java(tracked: Collection[str]) -> list[Suggestion]:
    """Without a network: what a build needs is there, or it fails."""
    for file, wrapper, program in (("pom.xml", "mvnw", "mvn"), *((f, "gradlew", "gradle") for f in _GRADLE)):
        if file in tracked:
            command = (f"./{wrapper}" if wrapper in tracked else program, "--offline", "test")
            return [Suggestion("test", "test", command, file)]
    return []


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
    kinds = {s.kind for s in found}
    for kind, names in _SCRIPTS.items():
        name = next((n for n in names if isinstance(scripts, dict) and _only_looks(scripts.get(n))), None)
        if name is not None and kind not in kinds:
            found.append(Suggestion(kind, kind, ("npm", "run", "--silent", name), "package.json"))
    return found


def _only_looks(script: object) -> bool:
    """Whether a script looks at the code; one that mends it as it goes finds nothing for ever."""
    return isinstance(script, str) and not re.search(r"--(?:fix|write)\b", script)


def _task_runners(texts: Mapping[str, str]) -> list[Suggestion]:
    """What make, just, nox and tox are told to do, as far as it says that it tests: of each kind the first."""
    found: list[Suggestion] = []
    for files, pattern, command in (
        (("GNUmakefile", "makefile", "Makefile"), _TARGET, ("make",)),
        (("justfile", "Justfile", ".justfile"), _RECIPE, ("just",)),
        (("noxfile.py",), _SESSION, ("nox", "-s")),
        (("tox.ini",), _TOX_ENV, ("tox", "-e")),
    ):
        file = next((name for name in files if name in texts), "")
        for name in dict.fromkeys(pattern.findall(texts.get(file, ""))):
            kind: CheckKind = "lint" if name == "lint" else "test"
            env = name or "py"  # tox knows `py` without a section of its own
            found.append(Suggestion(name or "test", kind, (*command, env), file))
    return list({s.kind: s for s in reversed(found)}.values())[::-1]
