"""Who may print, read settings, read the clock, and import what: read from the syntax trees."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PRINTING = {
    "cli/render.py",  # a person's door
    "dream/__main__.py",  # answers of processes of their own
    "kairos/agent/worker.py",
    "kairos/daemon/compacting.py",
    "kairos/detectors/own/hosted.py",
    "kairos/domain/catalogue.py",  # the generator of a document
}
SETTINGS_DOORS = (
    "kairos/desk/",
    "dream/",
    "kairos/daemon/",
    "kairos/agent/worker.py",
    "kairos/home.py",
    "kairos/settings.py",
)
READS_SETTINGS = {"find_home", "load_config", "get_value", "set_value"}
CLOCKS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns", "time.localtime",
    "time.gmtime", "time.ctime", "time.strftime",
}  # fmt: skip
REAL_TIME = {
    "kairos/clock.py",
    "kairos/schedule/scheduler.py",  # APScheduler's own timer runs on real time; what is due is the log's word
    "kairos/agent/model.py",  # a server's Retry-After is a date of the real world
    "kairos/desk/doctoring.py",  # the age of a file is told by the file system's clock
}
IMPURE = {
    "asyncio", "ctypes", "fcntl", "glob", "io", "logging", "multiprocessing", "pathlib", "random", "secrets", "select",
    "shutil", "signal", "socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "uuid",
}  # fmt: skip
TEXT_OF_NAMES = {"os.fsencode", "os.fsdecode"}
EVERYWHERE = {"msgspec"}
"""The one package that values are made of."""


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute chain, or an empty string."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id])) if isinstance(node, ast.Name) else ""


def calls(tree: ast.Module) -> Iterator[tuple[str, int]]:
    return ((dotted(n.func), n.lineno) for n in ast.walk(tree) if isinstance(n, ast.Call))


def imports(tree: ast.Module) -> Iterator[str]:
    """Every module imported anywhere in a file, `from a import b` as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_only_the_named_doors_write_to_the_terminal(trees: dict[str, ast.Module]) -> None:
    prints = re.compile(
        r"print|input|click\.(echo\w*|secho|prompt|confirm|pause|clear)|sys\.(stdout|stderr)\..*write\w*"
    )
    found = [
        f"{path}:{line}: {name}"
        for path, tree in trees.items()
        if path not in PRINTING
        for name, line in calls(tree)
        if prints.fullmatch(name)
    ]
    assert found == []
    assert [p for p in PRINTING if p not in trees] == []


def test_the_native_floor_writes_nothing_to_the_terminal(root: Path) -> None:
    found = [p.name for p in (root / "native/src").rglob("*.rs") if re.search(r"\be?print(ln)?!|\bdbg!", p.read_text())]
    assert found == []


def test_only_doors_read_settings(trees: dict[str, ast.Module]) -> None:
    found = [
        f"{path}: {name}"
        for path, tree in trees.items()
        if not path.startswith(SETTINGS_DOORS)
        for name in imports(tree)
        if name.rpartition(".")[2] in READS_SETTINGS or name == "kairos.settings"
    ]
    assert found == []


def test_only_the_clock_reads_the_wall_clock(trees: dict[str, ast.Module]) -> None:
    found = [
        f"{path}:{line}: {name}"
        for path, tree in trees.items()
        if path not in REAL_TIME
        for name, line in calls(tree)
        if name.removeprefix("datetime.") in CLOCKS or name in CLOCKS
    ]
    taken = [
        f"{path}: {name}"
        for path, tree in trees.items()
        for name in imports(tree)
        if name in CLOCKS or name == "time.monotonic"
    ]
    assert found + taken == [], "read kairos.clock, or take the time as an argument"


def test_the_domain_takes_its_time_and_ids_from_outside(trees: dict[str, ast.Module]) -> None:
    domain = {path: tree for path, tree in trees.items() if path.startswith("kairos/domain/")}
    assert domain
    found = [
        f"{path}: {name}" for path, tree in domain.items() for name in imports(tree) if name.split(".")[0] in IMPURE
    ]
    found += [
        f"{path}:{line}: {name}"
        for path, tree in domain.items()
        for name, line in calls(tree)
        if name == "open" or (name.startswith("os.") and name not in TEXT_OF_NAMES)
    ]
    assert found == []


def test_each_outside_package_enters_through_the_files_that_the_linter_names(
    root: Path, trees: dict[str, ast.Module]
) -> None:
    lint = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    banned = lint["flake8-tidy-imports"]["banned-api"]
    gates = {
        package: set(re.findall(r"[\w/]+\.py", rule["msg"]))
        for package, rule in banned.items()
        if "enters through" in rule["msg"]
    }
    assert len(gates) >= 6
    used: dict[str, set[str]] = {}
    for path, tree in trees.items():
        for name in imports(tree):
            package = name.split(".")[0]
            if package not in sys.stdlib_module_names and package not in ("kairos", "dream", "cli", *EVERYWHERE):
                used.setdefault(package, set()).add(path)
    click = used.pop("click", set())
    assert all(path.startswith("cli/") for path in click), "click belongs to the command line"
    assert used == {package: gates.get(package, {"no file is named in pyproject.toml"}) for package in used}
    assert set(gates) == set(used), "a gate that nobody uses"


def test_the_native_floor_is_used_by_the_files_that_the_linter_names(root: Path, trees: dict[str, ast.Module]) -> None:
    ignores = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]["per-file-ignores"]
    named = set[str]()
    for pattern in ignores:
        head, brace, rest = pattern.partition("{")
        middle, _, tail = rest.partition("}")
        named |= {f"{head}{m}{tail}" for m in middle.split(",")} if brace else {pattern}
    used = {path for path, tree in trees.items() for name in imports(tree) if name.startswith("kairos._native")}
    assert used
    assert used - named == set()
    pure = {"kairos/domain/secrets.py"}  # its native functions are pure: ADR 0025
    assert not [path for path in used - pure if path.startswith(("kairos/domain/", "cli/", "dream/"))]


def test_packages_used_are_exactly_those_declared(root: Path, trees: dict[str, ast.Module]) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = {
        re.split(r"[<>=!~ \[]", line)[0].lower().replace("-", "_")
        for line in (*project["dependencies"], *extras["model"], *extras["postgres"])
    }
    used = {name.split(".")[0] for tree in trees.values() for name in imports(tree)}
    used -= {*sys.stdlib_module_names, "kairos", "dream", "cli"}
    assert used == declared
