"""A red commit is narrowed to the hunk that is to blame, run by run, from the log alone."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.acting import confine
from kairos.daemon.check_rounds import CheckRounds
from kairos.daemon.folded import World
from kairos.daemon.turns import Looker
from kairos.domain.checks.state import check_stream
from kairos.domain.events import CheckJudged, CheckNamed
from kairos.eventlog.log import Log
from kairos.home import Home

LINES = [f"line {n}\n" for n in range(60)]


@pytest.fixture
def rounds(others: Any, home: Home, log: Log, world: World) -> Any:
    if confine.tier(home.scratch).name not in ("T2", "T3"):
        pytest.skip("this machine cannot confine commands")
    return lambda: CheckRounds(home, log, world, Looker(home, others.config, log, world))


def broken(others: Any, repo: Any, rounds: Any, script: str, change: Any) -> CheckJudged:
    """The verdict on a commit that makes `change`, by a check that is this script."""
    repo.write("a.txt", "".join(LINES))
    repo.write("b.txt", "".join(LINES))
    repo.commit()
    named = CheckNamed(
        repo=others.repo, name="t", kind="test", command=["sh", "-c", script], seconds=60, memory_mb=1024
    )  # fmt: skip
    others.say(named, check_stream(others.repo, "t"), origin="user")
    settle(others, rounds)
    change()
    repo.commit()
    settle(others, rounds)
    (judged,) = others.told("CheckJudged")
    assert isinstance(judged, CheckJudged) and judged.verdict == "new"
    return judged


def settle(others: Any, rounds: Any) -> None:
    """A new process for each step."""
    for _ in range(60):
        if not rounds().step(others.repository):
            return
    raise AssertionError("it does not end")


def changed(repo: Any, path: str, places: dict[int, str]) -> None:
    repo.write(path, "".join(places.get(n, line) for n, line in enumerate(LINES)))


def test_the_hunk_among_many_is_named_on_the_card(others: Any, repo: Any, rounds: Any, world: World) -> None:
    def change() -> None:
        changed(repo, "a.txt", {5: "x\n", 25: "bad\n", 45: "y\n"})
        changed(repo, "b.txt", {5: "x\n", 25: "z\n", 45: "y\n"})

    judged = broken(others, repo, rounds, "! grep -q bad a.txt", change)
    assert judged.hunk.splitlines()[0] == "a.txt, line 26"
    assert "+bad" in judged.hunk
    trials = [run for run in others.told("CheckRan") if run.pieces_of]
    assert 1 <= len(trials) <= 6
    assert {run.pieces_of for run in trials} == {6}
    with world.reading() as views:
        (card,) = views.inbox.proposals.values()
    assert "The change that does it: a.txt, line 26." in card.raised.claim
    assert "+bad" in card.raised.action.text


def test_hunks_that_are_red_only_together_are_named_together(others: Any, repo: Any, rounds: Any) -> None:
    def change() -> None:
        changed(repo, "a.txt", {5: "one\n", 25: "x\n", 45: "y\n"})
        changed(repo, "b.txt", {5: "x\n", 25: "two\n", 45: "y\n"})

    judged = broken(others, repo, rounds, "! { grep -q one a.txt && grep -q two b.txt; }", change)
    places = [line for line in judged.hunk.splitlines() if ", line" in line]
    assert places == ["a.txt, line 6", "b.txt, line 26"]


def test_a_commit_of_one_hunk_needs_no_trial(others: Any, repo: Any, rounds: Any) -> None:
    judged = broken(others, repo, rounds, "! grep -q bad a.txt", lambda: changed(repo, "a.txt", {7: "bad\n"}))
    assert judged.hunk.startswith("a.txt, line 8\n")
    assert not any(run.pieces_of for run in others.told("CheckRan"))


def test_what_cannot_be_split_is_blamed_whole(others: Any, repo: Any, rounds: Any) -> None:
    def change() -> None:
        changed(repo, "a.txt", {7: "bad\n", 40: "x\n"})
        (repo.root / "raw.bin").write_bytes(b"\xff\0")

    assert broken(others, repo, rounds, "! grep -q bad a.txt", change).hunk == ""


def test_a_trial_says_nothing_of_the_tree(others: Any, repo: Any, rounds: Any, world: World) -> None:
    broken(
        others, repo, rounds, "! grep -q bad a.txt", lambda: changed(repo, "a.txt", {5: "x\n", 25: "bad\n", 45: "y\n"})
    )
    with world.reading() as views:
        check = views.checks.of(others.repo)["t"]
        assert check.trials and not any(run.pieces_of for run in check.runs)
        head = repo.git("rev-parse", "HEAD^{tree}")
        assert {run.outcome for run in check.whole(head)} == {"failed"}
