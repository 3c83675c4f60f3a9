"""What is staged is told once, when something joins it."""

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
def test_only_what_joins_is_news(tree, born):
    at, git, write = tree
    if born:
        write("z", "z")
        git("add", "z")
        git("commit", "-qm", "z")
    write("a", "1")
    git("add", "a")
    staging = Staging(at)
    assert not staging.grown(), "the first reading is where it begins"
    assert not staging.grown()
    write("b", "1")
    assert not staging.grown()
    git("add", "b")
    assert staging.grown()
    assert not staging.grown()
    write("b", "2")
    git("add", "b")
    assert staging.grown(), "another content"
    git("rm", "-q", "--cached", "-f", "b")
    assert not staging.grown(), "what leaves is no news"
    git("commit", "-qm", "a")
    assert not staging.grown()
