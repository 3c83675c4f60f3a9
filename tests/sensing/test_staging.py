"""What is staged is told once, when something joins or leaves it."""

from __future__ import annotations

import subprocess

import pytest

from kairos.repo.git import Git
from kairos.sensing.staging import Staging


@pytest.fixture
def tree(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)

    def git(*words: str) -> None:
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@x", *words], check=True,
            capture_output=True,
        )  # fmt: skip

    def write(name: str, text: str) -> None:
        (tmp_path / name).write_text(text)

    return Git(tmp_path), git, write


@pytest.mark.parametrize("born", [False, True])
def test_what_joins_or_leaves_is_news_and_a_commit_is_not(tree, born):
    at, git, write = tree
    if born:
        write("z", "z")
        git("add", "z")
        git("commit", "-qm", "z")
    write("a", "1")
    git("add", "a")
    staging = Staging(at)
    assert not staging.changed(), "the first reading is where it begins"
    assert not staging.changed()
    write("b", "1")
    assert not staging.changed()
    git("add", "b")
    assert staging.changed()
    assert not staging.changed()
    write("b", "2")
    git("add", "b")
    assert staging.changed(), "another content"
    git("rm", "-q", "--cached", "-f", "b")
    assert staging.changed(), "it left, and HEAD is the same"
    assert not staging.changed()
    git("commit", "-qm", "a")
    assert not staging.changed(), "what a commit took is no news"
