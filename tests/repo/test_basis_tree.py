"""What a basis asks of a real repository, and what that costs."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from kairos.domain.basis import Basis, BlobBasis, RefBasis, basis_of, missing
from kairos.repo.basis_tree import basis_tree
from kairos.repo.git import Git

_started: list[str] = []


def _start(event: str, args: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        _started.append(str(args[1][0]))


sys.addaudithook(_start)


def renamed(repo: Any) -> Basis:
    """A rename on a branch of its own; the basis of a finding about it."""
    repo.write("old.py", "x = 1\n")
    repo.commit()
    repo.git("checkout", "-q", "-b", "work")
    repo.git("mv", "old.py", "new.py")
    repo.commit()
    head = Git(repo.root).head()
    assert head is not None
    return basis_of([[head]], present=["new.py"], absent=["old.py"])


def amiss(repo: Any, basis: Basis) -> str:
    found = missing(basis, basis_tree(Git(repo.root), [basis]))
    return "" if found is None else ("gone: " if found.gone else "") + found.why


def test_a_basis_holds_on_its_branch_and_is_elsewhere_on_another(repo: Any) -> None:
    basis = renamed(repo)
    assert amiss(repo, basis) == ""
    repo.git("checkout", "-q", "main")
    assert "not in the history" in amiss(repo, basis)
    repo.git("merge", "-q", "--ff-only", "work")
    assert amiss(repo, basis) == ""


@pytest.mark.parametrize(
    ("done", "why"),
    [
        ([("reset", "-q", "--hard", "HEAD~1")], "commit"),
        ([("reset", "-q", "--hard", "HEAD~1"), ("update-ref", "-d", "ORIG_HEAD")], "gone: commit"),
        ([("commit", "-q", "--amend", "-m", "other words")], "gone: commit"),
        ([("mv", "new.py", "old.py")], "gone: new.py is not there"),
    ],
)
def test_what_a_reset_leaves_is_elsewhere_and_what_no_ref_leads_to_is_gone(
    repo: Any, done: list[tuple[str, ...]], why: str
) -> None:
    basis = renamed(repo)
    for command in done:
        repo.git(*command)
    assert amiss(repo, basis).startswith(why)


def test_a_stashed_path_is_elsewhere(repo: Any) -> None:
    basis = renamed(repo)
    (repo.root / "new.py").unlink()
    assert amiss(repo, basis) == "new.py is not there"
    (repo.root / "new.py").symlink_to("nowhere")
    assert amiss(repo, basis) == ""


def test_a_repository_without_a_commit_and_a_commit_that_nobody_has(repo: Any) -> None:
    basis = basis_of([["0" * 39 + "1"]])
    assert amiss(repo, basis) == "gone: commit 000000000000 is in no branch any more"
    repo.git("update-ref", "-d", "HEAD")
    assert amiss(repo, basis).startswith("gone")


def test_blobs_and_refs_are_read(repo: Any) -> None:
    from kairos.domain.action import content_sha

    repo.write("x.sh", "echo\n")
    (repo.root / "x.sh").chmod(0o755)
    oid = Git(repo.root).head()
    assert oid is not None
    basis = Basis(
        blobs=[BlobBasis(path="x.sh", sha=content_sha(b"echo\n"), mode=0o755)],
        refs=[RefBasis(name="refs/heads/main", oid=oid)],
    )
    assert amiss(repo, basis) == ""
    (repo.root / "x.sh").chmod(0o644)
    assert "x.sh" in amiss(repo, basis)
    assert basis_tree(Git(repo.root), [basis_of(present=["../x", "a\0b"])]).existing == frozenset()


def test_paths_cost_no_git_and_many_commits_cost_as_much_as_one(repo: Any) -> None:
    basis = renamed(repo)
    seen = []
    for bases in ([basis_of(present=["new.py"])], [basis], [basis] * 50):
        before = len(_started)
        basis_tree(Git(repo.root), bases)
        seen.append(_started[before:].count("git"))
    assert seen[0] == 0
    assert seen[1] == seen[2] <= 3
