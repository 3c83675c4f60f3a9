"""Naming, suggesting, running and simulating the checks of a repository."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from kairos.acting import confine
from kairos.desk import checking
from kairos.desk.desk import Desk
from kairos.desk.reading import repository_at
from kairos.desk.registering import Told, register
from kairos.errors import NotFound, UsageError
from kairos.settings import set_value

TEXT = 'for n in a b; do if grep -q $n bad.txt; then echo "not ok $n"; else echo "ok $n"; fi; done; echo 1..2'


@pytest.fixture
def at(desk: Desk, repo: Any) -> Any:
    told = Told(trusts=lambda _: None, progress=lambda _: nullcontext(lambda *_: None), warn=print)
    register(desk, str(repo.root), history=None, told=told)
    return repository_at(desk, repo.root)


@pytest.fixture
def sandbox(desk: Desk) -> None:
    if confine.tier(desk.home.scratch).name not in ("T2", "T3"):
        pytest.skip("this machine cannot confine commands")


def test_a_check_is_named_listed_changed_and_removed(desk: Desk, at: Any) -> None:
    made = checking.add(desk, at, ["make", "test"], kind="test")
    assert (made.name, made.state, made.command) == ("test", "not run", ["make", "test"])
    assert checking.add(desk, at, ["make", "x"], kind="test").name == "test-2"
    assert checking.add(desk, at, ["make", "y"], kind="test", name="test").command == ["make", "y"]
    assert [c.name for c in checking.listed(desk, at)] == ["test", "test-2"]
    checking.remove(desk, at, "test-2")
    assert [c.name for c in checking.listed(desk, None)] == ["test"]
    with pytest.raises(NotFound):
        checking.remove(desk, at, "test-2")


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ([], {}),
        (["x", "a\0b"], {}),
        (["curl", "--token", "A1b2C3d4E5A1b2C3d4E5"], {}),
        (["x"], {"name": "No:Colon"}),
        (["x"], {"results": "../out.xml"}),
        (["x"], {"results": "/tmp/out.xml"}),
    ],
)
def test_what_cannot_be_a_check_is_refused(desk: Desk, at: Any, command: list[str], more: dict[str, str]) -> None:
    before = desk.log.head()
    with pytest.raises(UsageError):
        checking.add(desk, at, command, kind="test", **more)
    assert desk.log.head() == before


def test_what_a_repository_uses_is_suggested_and_never_run(desk: Desk, at: Any, repo: Any) -> None:
    repo.write("pyproject.toml", "[tool.pytest.ini_options]\n[tool.ruff]\n")
    repo.write("Makefile", "test:\n\ttouch /tmp/never\n")
    repo.commit()
    found = checking.suggested(desk, at)
    assert [(s.name, s.because) for s in found] == [("test", "pyproject.toml"), ("ruff", "pyproject.toml")]
    assert found[0].add[:7] == ["kairos", "check", "add", "--kind", "test", "--name", "test"]
    assert desk.log.version(f"check-{at.id}-test") == 0
    checking.add(desk, at, found[0].command, kind="test")
    assert [s.name for s in checking.suggested(desk, at)] == ["ruff"]


def test_the_setting_is_shown_and_suggested(desk: Desk, at: Any, repo: Any) -> None:
    set_value(desk.home, f'check."{repo.root}".command', '["make", "t"]')
    desk.__dict__.pop("config", None)
    (listed,) = checking.listed(desk, at)
    assert listed.for_proposals_only
    assert checking.suggested(desk, at)[0].command == ["make", "t"]


def test_running_names_the_culprit(desk: Desk, at: Any, repo: Any, sandbox: None) -> None:
    repo.write("bad.txt", "\n")
    good = repo.commit()
    checking.add(desk, at, ["sh", "-c", TEXT], kind="test", memory_mb=1024)
    said: list[str] = []
    (green,) = checking.run(desk, at, [], told=said.append)
    assert (green.state, green.passed, len(said)) == ("green", 2, 1)
    repo.write("bad.txt", "b\n")
    culprit = repo.commit()
    (red,) = checking.run(desk, at, ["test"], told=said.append)
    assert red.state == "red"
    assert [(c.case, c.verdict, c.culprit) for c in red.red] == [("b", "new", culprit)]
    said.clear()
    checking.run(desk, at, [], told=said.append, at=good)
    assert len(said) == 1
    found = checking.simulate(desk, at)[0]
    assert (found.runs, found.red, found.missed) == (1, 1, 0)


def test_one_that_could_not_be_run_runs_again_when_asked(desk: Desk, at: Any, repo: Any, sandbox: None) -> None:
    repo.write(".gitignore", "tool\n")
    repo.commit()
    checking.add(desk, at, [str(repo.root / "tool")], kind="test", memory_mb=1024)
    assert checking.run(desk, at, [], told=lambda _: None)[0].state == "broken"
    repo.write("tool", "#!/bin/sh\n", 0o755)
    assert checking.run(desk, at, [], told=lambda _: None)[0].state == "green"


def test_what_is_not_there_is_said(desk: Desk, at: Any, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        checking.run(desk, at, [], told=print)
    checking.add(desk, at, ["true"], kind="test")
    with pytest.raises(NotFound):
        checking.run(desk, at, ["other"], told=print)
    with pytest.raises(UsageError):
        checking.run(desk, at, [], told=print, at="no-such-commit")
