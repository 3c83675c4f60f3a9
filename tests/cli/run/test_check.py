"""`kairos check`: named by a person, run, shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kairos.acting import confine
from kairos.home import Home


def test_a_check_from_the_suggestion_to_the_card(kairos: Any, repo: Any, home: Home) -> None:
    if confine.tier(home.scratch).name not in ("T2", "T3"):
        pytest.skip("this machine cannot confine commands")
    repo.write("Makefile", "test:\n\tgrep -q fine a.txt\n")
    repo.write("a.txt", "fine\n")
    before = repo.commit()
    assert kairos("init", str(repo.root), "--yes").code == 0
    at = ("--repo", str(repo.root))
    suggested = kairos("check", "suggest", *at)
    assert "kairos check add --kind test --name test -- make test" in suggested.out
    assert "No check" in kairos("check", "ls", *at).out
    added = kairos("check", "add", "--kind", "test", *at, "--", "make", "test")
    assert added.code == 0
    assert "`test` runs after each commit: make test" in added.out
    ran = kairos("check", "run", *at)
    assert (ran.code, "green" in ran.out) == (0, True)
    repo.write("a.txt", "broken\n")
    culprit = repo.commit()
    assert f"not run; green at {before[:10]}" in kairos("check", "ls", *at).out
    red = kairos("check", "run", *at)
    assert red.code == 1
    assert f"new at {culprit[:10]}" in red.out
    assert f"is red since {culprit[:10]}" in kairos("inbox").out
    (case,) = kairos("check", "ls", "--json", *at).data[0]["red"]
    assert (case["culprit"], case["place"]) == (culprit, "a.txt, line 1")
    assert f"new at {culprit[:10]}, a.txt, line 1" in kairos("check", "ls", *at).out
    assert "five runs" in kairos("check", "simulate", *at).out
    assert "NEWLY RED" in kairos("check", "simulate", *at).out
    suggested = kairos("check", "suggest", *at)
    assert "known" in suggested.out, "it is named already"
    assert kairos("check", "rm", "test", *at).code == 0
    assert kairos("check", "rm", "test", *at).code == 4


def test_the_exit_code_says_whether_a_check_is_red_or_could_not_be_run(kairos: Any, repo: Any, home: Home) -> None:
    if confine.tier(home.scratch).name not in ("T2", "T3"):
        pytest.skip("this machine cannot confine commands")
    assert kairos("init", str(repo.root), "--yes").code == 0
    at = ("--repo", str(repo.root))
    added = kairos("check", "add", "--kind", "build", *at, "--", "/no/such/program")
    assert (added.code, "/no/such/program is no file" in added.out) == (0, True)
    elsewhere = kairos("check", "add", "--kind", "lint", "--name", "l", *at, "--", "no-such-linter")
    assert "no-such-linter is not found where a check looks" in elsewhere.out
    assert kairos("check", "rm", "l", *at).code == 0
    assert kairos("check", "run", *at).code == 8
    assert kairos("check", "add", "--kind", "test", *at, "--", "false").code == 0
    red = kairos("check", "run", *at, "test")
    assert (red.code, "red since the check was named" in red.out) == (1, True)
    assert kairos("check", "run", *at).code == 1, "red says more"
    assert kairos("check", "run", *at, "build").code == 8


def test_a_command_and_a_kind_are_needed(kairos: Any, repo: Any) -> None:
    assert kairos("init", str(repo.root), "--yes").code == 0
    assert kairos("check", "add", "--repo", str(repo.root), "--", "true").code == 2
    assert kairos("check", "add", "--kind", "test", "--repo", str(repo.root)).code == 2


def test_checks_of_several_repositories_stand_under_their_own(kairos: Any, repo: Any, tmp_path: Path) -> None:
    second = type(repo)(tmp_path / "second")
    second.root.mkdir()
    second.git("init", "-q")
    for one in (repo, second):
        assert kairos("init", str(one.root), "--yes").code == 0
        assert kairos("check", "add", "--kind", "test", "--repo", str(one.root), "--", "true").code == 0
    lines = kairos("check", "ls").out.splitlines()
    assert {line for line in lines if line.startswith("/")} == {str(repo.root), str(second.root)}
