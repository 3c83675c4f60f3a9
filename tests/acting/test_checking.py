"""A check runs confined on a commit's tree, and its report is read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kairos.acting import confine
from kairos.acting.checking import CheckResult, checks_lock, for_proposals, run_check
from kairos.domain.checks.reading import WHOLE
from kairos.domain.checks.state import NamedCheck
from kairos.domain.events import CheckNamed
from kairos.errors import TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.home import Home
from kairos.settings import Check, Config

TAP = "printf 'TAP version 13\\n1..2\\nok 1 - good\\n'; "
TAP += "grep -q fine a.txt && echo 'ok 2 - text' || echo 'not ok 2 - text'"


@pytest.fixture(autouse=True)
def sandbox(home: Home) -> None:
    if confine.tier(home.scratch).name not in ("T2", "T3"):
        pytest.skip("this machine cannot confine commands")


@pytest.fixture
def check(home: Home, repo: Any) -> Callable[..., CheckResult]:
    def run(*command: str, commit: str = "HEAD", **more: Any) -> CheckResult:
        fields = {k: more.pop(k) for k in ("results", "seconds", "read_roots") if k in more}
        named = NamedCheck(
            **{"name": "t", "kind": "test", "command": list(command), "seconds": 60, "memory_mb": 1024, **fields}
        )
        return run_check(home, repo.root, named, commit, **more)

    return run


def test_cases_are_read_from_the_output_at_each_commit(repo: Any, check: Callable[..., CheckResult]) -> None:
    repo.write("a.txt", "fine")
    good = repo.commit()
    repo.write("a.txt", "broken")
    bad = repo.commit()
    green, red = check("sh", "-c", TAP, commit=good), check("sh", "-c", TAP, commit=bad)
    assert (green.outcome, green.report.passed) == ("passed", 2)
    assert (red.outcome, [c.id for c in red.report.failed]) == ("failed", ["text"])
    assert check("sh", "-c", TAP, commit=bad, changes={"a.txt": (b"fine", 0o644)}).outcome == "passed"


def test_the_exit_status_counts_where_nothing_else_is_known(check: Callable[..., CheckResult]) -> None:
    assert check("true").outcome == "passed"
    red = check("sh", "-c", "echo no luck >&2; exit 3")
    assert [(c.id, c.message) for c in red.report.failed] == [(WHOLE, "no luck")]
    assert red.exit == 3


def test_a_result_file_is_read(check: Callable[..., CheckResult]) -> None:
    report = '<testsuite><testcase name="x"><failure message="m"/></testcase></testsuite>'
    script = f"mkdir -p out; echo '{report}' > out/r.xml; exit 1"
    found = check("sh", "-c", script, results="out/r.xml")
    assert [(c.id, c.message) for c in found.report.failed] == [("x", "m")]


def test_what_cannot_be_run_is_broken_not_red(check: Callable[..., CheckResult]) -> None:
    assert check("no-such-program").outcome == "broken"
    slow = check("sleep", "60", seconds=0.5)
    assert slow.outcome == "broken"
    assert "wall" in slow.why
    assert check("true", commit="0" * 40).outcome == "broken"


def test_a_program_that_is_untracked_is_said_to_be(repo: Any, check: Callable[..., CheckResult]) -> None:
    repo.write("run.sh", "#!/bin/sh\n")
    (repo.root / "run.sh").chmod(0o755)
    said = check("./run.sh")
    assert said.outcome == "broken"
    assert "it is untracked, and only what git tracks or ignores is there" in said.why
    assert "nice" not in said.why
    repo.commit()
    assert check("./run.sh").outcome == "passed"


def test_a_secret_in_the_output_is_not_kept(check: Callable[..., CheckResult]) -> None:
    token = "ghp_" + "A1b2C3d4E5" * 4
    found = check("sh", "-c", f"echo {token} >&2; exit 1")
    assert token not in found.output


def test_an_edit_under_a_run_does_not_reach_it(repo: Any, check: Callable[..., CheckResult], tmp_path: Path) -> None:
    repo.write("a.txt", "fine")
    repo.commit()
    done = []

    def edit() -> bool:  # called while the command runs
        if not done:
            done.append(True)
            repo.write("a.txt", "broken")
        return False

    found = check("sh", "-c", "sleep 1; grep -q fine a.txt", cancelled=edit)
    assert found.outcome == "passed", "the second try shows every file as committed"


def test_a_run_that_is_stopped_counts_for_nothing(check: Callable[..., CheckResult]) -> None:
    with pytest.raises(TryAgain):
        check("sleep", "60", cancelled=lambda: True)


def test_single_cases_of_pytest(repo: Any, check: Callable[..., CheckResult]) -> None:
    repo.write("test_a.py", "def test_x(): pass\ndef test_y(): assert 1 == 2\n")
    repo.commit()
    venv = Path(sys.executable).parent.parent
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:xdist"]
    whole = check(*command, read_roots=[str(venv)])
    assert {c.id: c.state for c in whole.report.cases} == {"test_a.py::test_x": "passed", "test_a.py::test_y": "failed"}
    cases = ["test_a.py::test_y", "test_a.py::test_gone", "test_b.py::test_gone"]
    found = check(*command, read_roots=[str(venv)], cases=cases)
    assert [c.id for c in found.report.cases] == ["test_a.py::test_y"]
    absent = check(*command, read_roots=[str(venv)], cases=cases[1:])
    assert absent.outcome == "passed"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("kill -9 $$", "signal 9"),
        ("sh -c 'kill -9 $$'; exit $?", "signal 9"),
        ("printf 'TAP version 13\\n1..1\\nnot ok 1 - a\\n  MemoryError\\n'; exit 137", "signal 9"),
        ("sleep 60", "wall"),
    ],
)
@pytest.mark.parametrize("repeats", [1, 2])
def test_a_run_that_was_given_up_is_no_answer(
    check: Callable[..., CheckResult], script: str, why: str, repeats: int
) -> None:
    found = check("sh", "-c", script, seconds=1.0, repeats=repeats)
    assert (found.outcome, found.report.failed) == ("broken", [])
    assert why in found.why


def test_a_case_that_was_out_of_memory_is_no_answer_of_a_search(repo: Any, check: Callable[..., CheckResult]) -> None:
    repo.write("test_a.py", "def test_x():\n    raise MemoryError\n")
    repo.commit()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:xdist"]
    roots = [str(Path(sys.executable).parent.parent)]
    found = check(*command, read_roots=roots, cases=["test_a.py::test_x"])
    assert (found.outcome, found.why) == ("broken", "it was out of memory")
    assert check(*command, read_roots=roots).outcome == "failed", "it is red, and hides no other case"


def test_selected_cases_that_were_not_run_are_not_green(repo: Any, check: Callable[..., CheckResult]) -> None:
    repo.write("test_a.py", "def test_x(): pass\n")
    repo.write("conftest.py", "import no_such_module\n")
    repo.commit()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:xdist"]
    found = check(*command, read_roots=[str(Path(sys.executable).parent.parent)], cases=["test_a.py::test_x"])
    assert found.outcome == "broken"
    assert "did not run these cases" in found.why


def test_one_check_at_a_time(home: Home) -> None:
    with checks_lock(home), pytest.raises(TryAgain), checks_lock(home):
        pass


def test_proposals_are_tried_with_the_setting_or_the_first_named_check(log: Log, tmp_path: Path) -> None:
    assert for_proposals(log, Config(), "r", tmp_path) is None
    for name, kind in (("a", "lint"), ("z", "test"), ("b", "build")):
        event = CheckNamed(repo="r", name=name, kind=kind, command=[name], seconds=9, memory_mb=64)  # type: ignore[arg-type]
        log.append([NewEvent(f"check-r-{name}", event)])
    found = for_proposals(log, Config(), "r", tmp_path)
    assert found is not None
    assert (found.command, found.seconds) == (["z"], 9)
    setting = Config(check={str(tmp_path): Check(command=["mine"])})
    assert for_proposals(log, setting, "r", tmp_path) is setting.check[str(tmp_path)]
