"""History's word about files that change together, only when it is sure and the commit is the author's own."""

from __future__ import annotations

import pytest

from kairos.detectors.missing_companion import MissingCompanion
from kairos.detectors.scene import Companion
from kairos.domain.action import NoteAction

SURE = Companion("b.py", 0.9, 12, [7, 9])


def look(scene):
    return list(MissingCompanion().look(scene))


def knows(*companions):
    return lambda paths: companions if "a.py" in paths else ()


@pytest.fixture
def changed(repo):
    repo.write("a.py", "1\n")
    repo.write("b.py", "1\n")
    repo.commit("both")
    for i in range(3):  # it was left out before, and followed soon
        repo.write("a.py", f"a{i}\n")
        repo.commit("a alone")
        repo.write("b.py", f"b{i}\n")
        repo.commit("b after it")
    for i in range(3):
        repo.write("c.py", f"{i}\n")
        repo.commit("something else")
    repo.write("a.py", "2\n")
    return repo.commit("one")


def test_a_companion_left_out_is_said_with_its_evidence(changed, see):
    (found,) = look(see("commit", companions=knows(SURE)))
    assert found.title == "b.py usually changes with a.py"
    assert found.evidence == [100, 7, 9, 101]
    assert isinstance(found.action, NoteAction)
    assert "90%" in found.claim
    assert "of the 3 that left it out 3 were followed by it" in found.claim


def test_a_companion_that_never_followed_is_left_alone(changed, repo, see):
    for i in range(3):
        repo.write("a.py", f"alone {i}\n")
        repo.commit("a alone again")
        for j in range(3):
            repo.write("c.py", f"{i} {j}\n")
            repo.commit("something else")
    repo.write("a.py", "last\n")
    repo.commit("once more")
    assert look(see("commit", companions=knows(SURE))) == []


def test_a_pair_that_was_never_apart_proves_nothing(repo, see):
    for i in range(6):
        repo.write("a.py", f"{i}\n")
        repo.write("b.py", f"{i}\n")
        repo.commit("both")
    repo.write("a.py", "alone\n")
    repo.commit("one")
    assert look(see("commit", companions=knows(SURE))) == []


@pytest.mark.parametrize(
    "companion",
    [
        Companion("b.py", 0.69, 12, []),
        Companion("b.py", 0.9, 3, []),
        Companion("gone.py", 0.9, 12, []),
        Companion("untracked.py", 0.9, 12, []),
        Companion("a.py", 0.9, 12, []),
    ],
)
def test_weak_or_dead_companions_are_left_alone(changed, repo, see, companion):
    repo.write("untracked.py", "")
    assert look(see("commit", companions=knows(companion))) == []


def test_a_companion_in_the_commit_or_the_same_push_is_not_missing(changed, repo, see):
    repo.write("b.py", "2\n")
    repo.commit("the other")
    assert look(see("commit", companions=knows(SURE), commits=2)) == []


def test_pushed_and_sweeping_commits_prove_nothing(changed, repo, see, tmp_path):
    repo.git("init", "-q", "--bare", str(tmp_path / "remote"))
    repo.git("push", "-q", str(tmp_path / "remote"), "main")
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert look(see("commit", companions=knows(SURE))) == []
    repo.write("a.py", "3\n")
    for i in range(40):
        repo.write(f"more/{i}", "x")
    repo.commit("sweep")
    assert look(see("commit", companions=knows(SURE))) == []


def test_the_key_names_the_pair(changed, repo, see):
    first = look(see("commit", companions=knows(SURE)))[0].key
    repo.write("a.py", "3\n")
    repo.commit("again")
    assert look(see("commit", companions=knows(SURE._replace(support=13))))[0].key == first
