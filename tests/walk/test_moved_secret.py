"""A credential that moves between commits, the index and the work tree: its one card follows, and none is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

KEY = "AWS=AKIAQ3EGRT5HZX7WLMNP\n"
PATH = "deploy.env"


@pytest.fixture
def says(kairos: Any, repo: Any) -> Callable[[str], None]:
    """A daemon watches; waits until the one card says where the value is."""
    kairos.run("init", str(repo.root), "--yes")
    kairos.daemon()

    def wait(words: str) -> None:
        kairos.wait(lambda: [words in card["title"] for card in kairos.run("inbox")] == [True])

    return wait


def is_one(kairos: Any) -> None:
    assert len(kairos.events("ProposalRaised")) == 1
    assert kairos.events("ProposalSuperseded") == []


def test_an_unstaged_one_is_untracked_at_once_and_after_a_kill_and_a_stash(kairos: Any, repo: Any, says: Any) -> None:
    repo.write(PATH, KEY)
    says("untracked")
    repo.git("add", PATH)
    says("staged")
    repo.git("reset", "-q")
    says("untracked")
    repo.git("add", PATH)
    says("staged")
    repo.git("stash", "-q", "-u")
    kairos.until("ProposalParked")
    repo.git("stash", "pop", "-q")
    says("staged")
    repo.git("restore", "--staged", PATH)
    says("untracked")
    is_one(kairos)


def test_one_that_is_unstaged_while_no_daemon_runs_is_untracked(kairos: Any, repo: Any) -> None:
    kairos.run("init", str(repo.root), "--yes")
    daemon = kairos.daemon()
    repo.write(PATH, KEY)
    repo.git("add", PATH)
    kairos.wait(lambda: ["staged" in c["title"] for c in kairos.run("inbox")] == [True])
    daemon.kill()
    repo.git("reset", "-q")
    kairos.daemon()
    kairos.wait(lambda: ["untracked" in c["title"] for c in kairos.run("inbox")] == [True])
    is_one(kairos)


def test_one_that_an_amend_takes_out_of_git_is_untracked(kairos: Any, repo: Any, says: Any) -> None:
    repo.write(PATH, KEY)
    repo.git("add", PATH)
    says("staged")
    repo.git("commit", "-q", "-m", "a key")
    says("committed")
    repo.git("rm", "-q", "--cached", PATH)
    repo.git("commit", "-q", "--amend", "--allow-empty", "-m", "without")
    says("untracked")
    is_one(kairos)
