"""The moment of a tree: what git changes, and that it is at work."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.detectors.touching import moment_of


@pytest.fixture
def root(repo: Any) -> Any:
    repo.write("a.txt", "a\n")
    repo.commit()
    repo.git("branch", "work")
    return repo.root


def test_a_moment_lasts_while_a_person_only_writes_files(repo: Any, root: Any) -> None:
    before = moment_of(root)
    repo.write("a.txt", "b\n")
    assert not before.is_over(moment_of(root))


@pytest.mark.parametrize(
    "args", [("checkout", "-q", "work"), ("add", "a.txt"), ("stash", "-q"), ("checkout", "-q", "--detach")]
)
def test_a_moment_is_over_when_git_changed_the_tree_the_index_or_head(repo: Any, root: Any, args: Any) -> None:
    before = moment_of(root)
    repo.write("a.txt", "b\n")
    repo.git(*args)
    assert before.is_over(moment_of(root))


def test_git_at_work_holds_the_lock_of_the_index(repo: Any, root: Any) -> None:
    before = moment_of(root)
    (root / ".git/index.lock").touch()
    assert before.is_over(moment_of(root))
    assert moment_of(root).busy
    (root / ".git/index.lock").unlink()
    assert not before.is_over(moment_of(root))


def test_a_linked_work_tree_has_a_moment_of_its_own(repo: Any, root: Any) -> None:
    repo.git("worktree", "add", "-q", "../other", "work")
    other = root.parent / "other"
    here, there = moment_of(root), moment_of(other)
    assert here.head != there.head
    repo.write("a.txt", "b\n")
    repo.git("add", "a.txt")
    assert here.is_over(moment_of(root))
    assert not there.is_over(moment_of(other))
