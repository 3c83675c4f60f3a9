"""A commit's tree is laid over the work tree: its files, and what git ignores, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kairos.acting import commit_tree
from kairos.acting.commit_tree import TreeRefused, disturbed, seed_of, tree_of
from kairos.acting.confine import run
from kairos.home import Home
from kairos.repo.git import Git


@pytest.fixture
def git(repo: Any) -> Git:
    return Git(repo.root)


def laid(home: Home, root: Path, seed: Any) -> dict[str, str]:
    """The files of the view: path → content."""
    script = 'find . -path ./.git -prune -o -type f -print | sort | while read f; do echo "$f=$(cat $f)"; done'
    with run(root, ["/bin/sh", "-c", script], scratch_home=home.scratch, seed=seed) as done:
        assert done.exit == 0, done.stderr
        return dict(line.removeprefix("./").split("=", 1) for line in done.stdout.decode().splitlines())


def test_the_view_holds_the_files_of_the_commit_and_what_is_ignored(home: Home, repo: Any, git: Git) -> None:
    repo.write(".gitignore", "kept/\n")
    repo.write("a.txt", "one")
    repo.write("gone/b.txt", "b")
    first = repo.commit()
    repo.write("a.txt", "two")
    repo.write("later.txt", "l")
    repo.git("rm", "-q", "-r", "gone")
    repo.commit()
    repo.write("a.txt", "edited")
    repo.write("loose.txt", "untracked")
    repo.write("kept/lib.txt", "k")
    found = laid(home, repo.root, seed_of(git, first))
    assert {k: v for k, v in found.items() if k not in ("README.md", ".gitignore")} == {
        "a.txt": "one", "gone/b.txt": "b", "kept/lib.txt": "k",
    }  # fmt: skip
    assert (repo.root / "a.txt").read_text() == "edited"
    assert laid(home, repo.root, seed_of(git, first, every=True)) == found


def test_a_file_may_take_the_place_of_a_directory(home: Home, repo: Any, git: Git) -> None:
    repo.write("x", "file")
    first = repo.commit()
    repo.git("rm", "-q", "x")
    repo.write("x/y", "deep")
    repo.commit()
    found = laid(home, repo.root, seed_of(git, first))
    assert found["x"] == "file"


def test_the_executable_bit_is_that_of_the_commit(home: Home, repo: Any, git: Git) -> None:
    repo.write("run.sh", "x", 0o755)
    first = repo.commit()
    repo.write("run.sh", "x", 0o644)
    repo.commit()
    assert seed_of(git, first)["run.sh"] == (b"x", 0o755)


def test_an_edit_meanwhile_is_noticed(repo: Any, git: Git) -> None:
    repo.write("a.txt", "one")
    repo.write("b.txt", "b")
    first = repo.commit()
    repo.write("a.txt", "two")
    repo.commit()
    seed = seed_of(git, first)
    assert not disturbed(git, first, seed)
    repo.write("a.txt", "three")
    assert not disturbed(git, first, seed), "that one is laid over"
    repo.write("b.txt", "changed")
    assert disturbed(git, first, seed)
    assert not disturbed(git, first, seed_of(git, first, every=True))


def test_a_new_file_meanwhile_is_noticed(repo: Any, git: Git) -> None:
    first = repo.commit()
    seed = seed_of(git, first)
    repo.write("new.txt", "n")
    assert disturbed(git, first, seed)


def test_a_link_that_vanishes_or_changes_meanwhile_is_noticed(repo: Any, git: Git) -> None:
    link = repo.root / "link"
    link.symlink_to("README.md")
    first = repo.commit()
    for every in (False, True):
        seed = seed_of(git, first, every=every)
        assert not disturbed(git, first, seed)
        link.unlink()
        assert disturbed(git, first, seed)
        link.symlink_to("elsewhere")
        assert disturbed(git, first, seed)
        with pytest.raises(TreeRefused):
            seed_of(git, first, every=every)
        link.unlink()
        link.symlink_to("README.md")


def test_a_tree_that_cannot_be_laid_is_refused(repo: Any, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo.root / "link").symlink_to("README.md")
    repo.write("big.txt", "x" * 100)
    first = repo.commit()
    (repo.root / "link").unlink()
    repo.commit()
    with pytest.raises(TreeRefused, match="symbolic link"):
        seed_of(git, first)
    monkeypatch.setattr(commit_tree, "_LARGEST", 10)
    repo.write("big.txt", "y")
    with pytest.raises(TreeRefused):
        seed_of(git, "HEAD")


def test_the_tree_of_a_commit(repo: Any, git: Git) -> None:
    assert tree_of(git, "HEAD") == repo.git("rev-parse", "HEAD^{tree}")


def test_installed_dependencies_stay_though_git_does_not_ignore_them(home: Home, repo: Any, git: Git) -> None:
    for path in (".venv/pyvenv.cfg", ".venv/bin/tool", "web/node_modules/a/index.js", "loose/tool", "pyvenv.cfg"):
        repo.write(path, "x")
    head = repo.git("rev-parse", "HEAD").strip()
    assert set(laid(home, repo.root, seed_of(git, head))) == {
        "README.md", ".venv/pyvenv.cfg", ".venv/bin/tool", "web/node_modules/a/index.js",
    }  # fmt: skip
