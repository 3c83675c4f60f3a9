"""A person's own detector runs confined, on the tree of a commit and nothing else, within bounds."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from kairos.acting.own_runs import OwnFailed, OwnRuns, hosted, readable
from kairos.domain.roster import OwnDeclared
from kairos.home import Home
from kairos.repo.git import Git

AT = 1_700_000_000_000_000
PYTHON = shutil.which("python3", path="/usr/bin:/usr/local/bin:/bin") or "python3"


@pytest.fixture
def runs(home: Home) -> OwnRuns:
    return OwnRuns(home.scratch)


def ask(runs: OwnRuns, repo: Any, *command: str, **limits: Any) -> bytes:
    git = Git(repo.root)
    head = git.head()
    assert head is not None
    return runs.ask(git, OwnDeclared("own", list(command), **limits), head, ["a.txt", "gone.txt"], AT)


def test_it_sees_the_tree_of_the_commit_the_question_and_nothing_else(repo: Any, runs: OwnRuns) -> None:
    repo.write("a.txt", "committed\n")
    repo.write("bin/run", "#!/bin/sh\n", 0o755)
    repo.commit()
    repo.write("a.txt", "edited since\n")
    repo.write("untracked.env", "AWS=1\n")
    out = ask(runs, repo, "sh", "-c", "cat a.txt; cat {question} .kairos-question.json; find . -type f | sort").decode()
    assert out.startswith("committed\n") and "untracked.env" not in out and '"paths":["a.txt"]' in out
    assert '"at":"2023-11-14T22:13:20.000000Z"' in out
    assert "./bin/run" in out and ".git" not in out


def test_a_script_of_a_person_is_laid_into_the_tree_without_its_surroundings(
    repo: Any, runs: OwnRuns, tmp_path: Path
) -> None:
    repo.write("a.txt", "x\n")
    repo.commit()
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "key").write_text("beside it\n")
    script = folder / "own.py"
    script.write_text(f"import os, sys\nprint(sys.argv[1], os.path.exists({str(folder / 'key')!r}))\n")
    assert ask(runs, repo, PYTHON, str(script), "{question}").decode() == ".kairos-question.json False\n"
    plain = folder / "own.sh"
    plain.write_text("#!/bin/sh\necho it runs\n")
    assert ask(runs, repo, str(plain)) == b"it runs\n"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["sleep", "60"], "the limit wall"),
        (["sh", "-c", "yes | head -c 20000000"], "limit output"),
        (["sh", "-c", "exit 3"], "ended with 3"),
        (["sh", "-c", "echo broken >&2; exit 1"], "said nothing: broken"),
        (["sh", "-c", "kill -9 $$"], "signal 9"),
        (["/nowhere/at/all"], "ended with 127"),
        (["sh", "-c", "head -c 1500000 /dev/zero"], "more than is read"),
    ],
)
def test_what_goes_wrong_is_said(repo: Any, runs: OwnRuns, command: list[str], why: str) -> None:
    repo.write("a.txt", "x\n")
    repo.commit()
    with pytest.raises(OwnFailed) as failed:
        ask(runs, repo, *command, seconds=2.0)
    assert why in failed.value.message


def test_one_that_is_always_stopped_rests_until_it_is_changed(repo: Any, runs: OwnRuns) -> None:
    repo.write("a.txt", "x\n")
    repo.commit()
    for _ in range(3):
        with pytest.raises(OwnFailed):
            ask(runs, repo, "sleep", "60", seconds=0.3)
    with pytest.raises(OwnFailed) as rests:
        ask(runs, repo, "sleep", "60", seconds=60.0)
    assert "rests" in rests.value.message
    assert ask(runs, repo, "echo", "hello", version=2) == b"hello\n"


def test_it_writes_nothing_anywhere(repo: Any, runs: OwnRuns, home: Home) -> None:
    repo.write("a.txt", "x\n")
    repo.commit()
    target = home.data / "written"
    script = f"echo y > a.txt; echo y > {target}; echo y > {repo.root}/a.txt; true"
    ask(runs, repo, "sh", "-c", script)
    assert (repo.root / "a.txt").read_text() == "x\n" and not target.exists()


def test_findings_may_be_told_with_the_exit_of_a_linter(repo: Any, runs: OwnRuns) -> None:
    repo.write("a.txt", "x\n")
    repo.commit()
    assert ask(runs, repo, "sh", "-c", "echo found; exit 1") == b"found\n"


def test_nothing_is_run_where_nothing_of_interest_is_there(repo: Any, runs: OwnRuns) -> None:
    repo.write("b.txt", "x\n")
    repo.commit()
    assert ask(runs, repo, "sh", "-c", "exit 9") == b""


def test_a_hosted_detector_may_read_this_python(repo: Any) -> None:
    found = readable(hosted("todo"))
    assert Path(sys.prefix) in found and all(place.is_dir() for place in found)
