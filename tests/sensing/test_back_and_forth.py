"""Branches that are switched away and back faster than they are looked at: git wrote the files, not a person."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.sensing.test_git_moves import files, whats


@pytest.fixture
def two(repo: Any) -> Any:
    """A repository with a file that differs on two branches, and one that only the other branch has."""
    repo.write("a.txt", "main")
    repo.commit("main")
    repo.git("checkout", "-q", "-b", "x")
    repo.write("a.txt", "x is longer")
    repo.write("n.txt", "n")
    repo.commit("x")
    repo.git("checkout", "-q", "main")
    return repo


def away_and_back(repo: Any) -> None:
    repo.git("checkout", "-q", "x")
    repo.git("checkout", "-q", "-")


def test_what_a_switch_away_and_back_wrote_is_git_s(watch: Any, two: Any) -> None:
    told = watch.told(lambda: away_and_back(two))
    assert whats(told) == ["checkout"]
    assert files(told) == {"a.txt": "git"}
    moved = next(r for r in told if r.topic == "GitMoved")
    assert {r.caused_by for r in told if r.topic == "FilesChanged"} == {moved.position}
    assert watch.told(lambda: two.git("status")) == [], "it is told once"


def test_a_person_s_edit_right_after_is_still_theirs(watch: Any, two: Any) -> None:
    def act() -> None:
        away_and_back(two)
        two.write("a.txt", "mine")
        two.write("b.txt", "mine")

    assert files(watch.told(act)) == {"a.txt": None, "b.txt": None}


def test_what_was_switched_while_nobody_watched_is_git_s_too(watch: Any, two: Any) -> None:
    watch.told(lambda: two.git("status"))
    away_and_back(two)
    told = watch.start()
    assert whats(told) == ["checkout"]
    assert files(told) == {"a.txt": "git"}


_SWITCH = """
import random, subprocess, sys, time
pick = random.Random(int(sys.argv[2]))
for _ in range(int(sys.argv[3])):
    for to in ("x", "-"):
        subprocess.run(["git", "-C", sys.argv[1], "checkout", "-q", to], check=True)
        time.sleep(pick.choice((0.0, 0.004, 0.02, 0.1)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_person_who_switches_back_and_forth_edits_nothing(watch: Any, two: Any, seed: int) -> None:
    before = watch.log.head()
    person = subprocess.Popen([sys.executable, "-c", _SWITCH, str(two.root), str(seed), "40"])
    watch.until(lambda: person.poll() is not None, 120.0)
    watch.settle()
    assert person.wait() == 0
    told = watch.since(before)
    assert set(files(told).values()) <= {"git"}
    foreign = [r for r in told if r.topic == "FilesChanged" and r.event.cause is None]
    assert foreign == [], [(r.position, [(c.kind, c.fs) for c in r.event.changes]) for r in foreign]
    watch.check()
