"""A known runner is asked for a report and for single cases; any other command stays as it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kairos.domain.checks.runners import REPORT, not_found, parted, repeating, reporting, runner_of, selecting

WITH = ["-o", "junit_family=xunit1", f"--junitxml={REPORT}", "--rootdir=."]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["pytest", "-q"], "pytest"),
        ([".venv/bin/python", "-m", "pytest"], "pytest"),
        (["uv", "run", "pytest"], "pytest"),
        (["env", "A=1", "python", "-m", "pytest"], "pytest"),
        (["cargo", "test"], "cargo"),
        (["go", "test", "./..."], "go"),
        (["cargo", "build"], None),
        (["sh", "-c", "pytest"], None),
        (["make", "pytest"], None),
    ],
)
def test_a_runner_is_known_by_its_name(command: list[str], name: str | None) -> None:
    found = runner_of(command)
    assert (found.name if found else None) == name
    if name is None:
        assert reporting(command) == command
        assert selecting(command, ["a.py::b"]) is None


def test_pytest_reports_in_a_file_unless_it_does_already() -> None:
    assert reporting(["pytest", "-q"]) == ["pytest", *WITH, "-q"]
    assert reporting(["pytest", "--junitxml=x.xml"]) == ["pytest", "--junitxml=x.xml"]


def test_selected_cases_take_the_place_of_what_was_named() -> None:
    made = selecting(["python", "-m", "pytest", "-q", "-k", "not slow", "tests", "-n", "4"], ["t/a.py::x"])
    assert made == ["python", "-m", "pytest", *WITH, "-q", "-k", "not slow", "-n", "4", "t/a.py::x"]
    assert selecting(["cargo", "test", "--offline", "-p", "a", "name"], ["m::x", "m::y"]) == [
        "cargo", "test", "--offline", "-p", "a", "--", "--exact", "m::x", "m::y",
    ]  # fmt: skip
    assert selecting(["cargo", "test", "--", "--test-threads", "1", "name"], ["m::x"]) == [
        "cargo", "test", "--", "--test-threads", "1", "--exact", "m::x",
    ]  # fmt: skip
    assert selecting(["go", "test", "-race", "./..."], ["ex.com/a/b.TestX/sub one", "ex.com/c.TestY"]) == [
        "go", "test", "-json", "-count=1", "-race", "-run=^(TestX|TestY)$", "ex.com/a/b", "ex.com/c",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "cases", [[], ["(the whole check)"], ["[redacted key].py::x"], ["a.py::x…"], ["--evil.py"], ["a.py::x"] * 200]
)
def test_what_cannot_be_selected_is_run_whole(cases: list[str]) -> None:
    assert selecting(["pytest"], cases) is None


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("go test -timeout 30s ./...", "-timeout 30s"),
        ("go test -timeout=30s -tags a,b -race ./a ./b", "-timeout=30s -tags a,b -race"),
        ("go test -run TestOld -skip TestSlow -p 2 .", "-p 2"),
        ("go test --ldflags -s -v", "--ldflags -s -v"),
    ],
)
def test_go_keeps_its_options_with_their_values(command: str, options: str) -> None:
    made = selecting([*command.split(), "-args", "-update"], ["m/p.TestA/sub", "m/p.TestB"])
    assert made is not None
    assert " ".join(made) == f"go test -json -count=1 {options} -run=^(TestA|TestB)$ m/p -args -update"


@pytest.mark.parametrize(
    ("command", "made"),
    [
        ("pytest --timeout 60 -n 4 --cov-config c.ini -x tests", "--timeout 60 -n 4 --cov-config c.ini -x a.py::b"),
        (
            "cargo test --manifest-path a/Cargo.toml --exclude b x",
            "--manifest-path a/Cargo.toml --exclude b -- --exact",
        ),
    ],
)
def test_pytest_and_cargo_keep_their_options_with_their_values(command: str, made: str) -> None:
    assert made in " ".join(selecting(command.split(), ["a.py::b"]) or [])


def test_parameters_that_pytest_writes_otherwise_select_their_function() -> None:
    cases = ["a.py::x[1 2]", "a.py::x[\\u2502]", "a.py::y[redacted key]", "a.py::z[1]", "a.py::w[long…abc]"]
    made = selecting(["pytest"], cases)
    assert made is not None
    assert made[5:] == ["a.py::x", "a.py::y", "a.py::z[1]", "a.py::w"]


def test_cases_that_pytest_did_not_find_are_named() -> None:
    said = "ERROR: not found: /r/t/a.py::x (no match in any of [<Module a.py>])\n"
    said += "ERROR: file or directory not found: t/b.py::y\n"
    assert not_found(["t/a.py::x[1 2]", "t/b.py::y", "t/c.py::z"], said) == ["t/a.py::x[1 2]", "t/b.py::y"]


def test_a_repeated_command_gives_its_outputs_back(tmp_path: Path) -> None:
    script = "echo x > r.xml; echo out; echo err >&2; printf end; test ! -e once || exit 3; touch once"
    words = repeating(["sh", "-c", script], 3, "m1a2", "r.xml")
    done = subprocess.run(words, cwd=tmp_path, capture_output=True)
    found = parted(done.stdout, done.stderr, "m1a2", done.returncode, 3)
    assert [p.exit for p in found] == [0, 3, 3]
    assert {p.stdout.strip() for p in found} == {b"out\nend"}
    assert {p.stderr.strip() for p in found} == {b"err"}
    assert [(tmp_path / f"r.xml{p.suffix}").exists() for p in found] == [True] * 3
    cut = parted(done.stdout[: done.stdout.index(b"m1a2") + 7], b"", "m1a2", None, 3)
    assert [p.exit for p in cut] == [0, None, None]
