"""`kairos backtest`."""

from __future__ import annotations

from typing import Any

import pytest

CONFLICT = "<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n"


@pytest.fixture
def marked(repo: Any) -> Any:
    for n in range(2):
        repo.write(f"f{n}.py", CONFLICT)
        repo.commit()
        repo.write(f"f{n}.py", "clean\n")
        repo.commit()
    return repo


def test_the_answer_says_what_would_have_been_raised_and_done(kairos: Any, home: Any, marked: Any) -> None:
    done = kairos("backtest", str(marked.root))
    assert done.code == 0
    assert "it would have raised 2; you did 2 of the 2 that can be judged" in done.out
    assert "100% (34%–100%)" in done.out and "Conflict markers left in f1.py: done 1 commit later" in done.out
    data = kairos("backtest", str(marked.root), "--detector", "conflict-marker", "--json").data
    assert [d["detector"] for d in data["detectors"]] == ["conflict-marker"]
    assert [p["label"] for p in data["proposals"]] == ["done", "done"]


def test_less_history_and_a_page(kairos: Any, home: Any, marked: Any, tmp_path: Any) -> None:
    file = tmp_path / "r.html"
    done = kairos("--repo", str(marked.root), "backtest", "--last", "1", "--html", str(file))
    assert "it would have raised nothing" in done.out and str(file) in done.out and file.exists()


@pytest.mark.parametrize(
    "args",
    [["--since", "soon"], ["--detector", "nobody"], ["--within", "0"], ["--last", "0"], ["--html", "/none/x.html"]],
)
def test_what_makes_no_sense_is_refused(kairos: Any, home: Any, marked: Any, args: list[str]) -> None:
    assert kairos("backtest", str(marked.root), *args).code == 2
