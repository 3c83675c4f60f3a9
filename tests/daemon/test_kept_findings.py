"""Lives of secrets and left-out files over real git: told once, parked with their branch, closed with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.acting import decisions
from tests.daemon.kept import CONFIG, Kept

SECRET = "AWS=AKIAQ3EGRT5HZX7WLMNP\n"


def push(kept: Kept, tmp_path: Path, what: str) -> None:
    kept.repo.git("init", "-q", "--bare", str(tmp_path / "up.git"))
    kept.repo.git("remote", "add", "origin", str(tmp_path / "up.git"))
    kept.git("push", "-q", "origin", what, what="push")


def test_a_secret_keeps_its_id_from_the_work_tree_to_the_remote(kept: Kept, tmp_path: Path) -> None:
    kept.write("deploy.env", "AWS=AKIAQ3EGRT5HZX7WLMNP\n")
    first = kept.one().id
    kept.repo.git("add", "-A")
    kept.commit()
    assert (kept.one().id, kept.one().raised.level) == (first, 1)
    assert "not pushed" in kept.one().raised.title
    decisions.approve(kept.log, kept.home, CONFIG, first)
    kept.world.catch_up()
    kept.repo.git("init", "-q", "--bare", str(tmp_path / "up.git"))
    kept.repo.git("remote", "add", "origin", str(tmp_path / "up.git"))
    kept.git("push", "-q", "origin", "HEAD:refs/heads/main", what="push")
    assert (kept.one().id, kept.one().raised.level, kept.one().state) == (first, 2, "pending")
    assert "pushed" in kept.one().raised.title and "rotate" in kept.one().raised.title
    assert not kept.one().delivered


@pytest.mark.parametrize(
    "args", [("reset", "-q"), ("restore", "--staged", "other.txt"), ("rm", "-q", "--cached", "other.txt"), ("commit",)]
)
def test_the_card_of_a_secret_lives_as_long_as_the_file_holds_it(kept: Kept, args: tuple[str, ...]) -> None:
    kept.repo.write("other.txt", f"o\n{SECRET}")
    kept.git("add", "other.txt", what="stage")
    first = kept.one().id
    if args == ("commit",):
        kept.commit()
        args = ("reset", "-q", "--mixed", "HEAD~1")
    kept.git(*args, what="reset" if args[0] == "reset" else "stage")
    assert (kept.one().id, kept.one().state) == (first, "pending")
    kept.repo.write("more.txt", "m\n")
    kept.repo.git("add", "more.txt")
    kept.git("commit", "-qm", "more", "more.txt")
    assert kept.one().state == "pending"
    kept.write("other.txt", "o\n")
    assert kept.one().state == "superseded" and "no longer there" in kept.one().why


def test_a_secret_that_is_written_staged_and_committed_in_one_go_is_told_once(kept: Kept) -> None:
    kept.repo.write("deploy.env", SECRET)
    kept.repo.write("more.txt", "m\n")
    kept.repo.git("add", "more.txt")
    kept.repo.git("commit", "-q", "-m", "something else")
    kept.sense("commit")
    first = kept.one().id
    assert "untracked" in kept.one().raised.title
    assert kept.told() == 1
    kept.repo.git("add", "deploy.env")
    kept.sense("stage")
    assert "staged" in kept.one().raised.title
    kept.repo.git("commit", "-q", "-m", "the secret")
    kept.sense("commit")
    assert (kept.one().id, kept.one().raised.risk, kept.told()) == (first, "urgent", 1)


@pytest.fixture
def leaked(kept: Kept) -> Kept:
    """A secret is committed on a branch."""
    kept.repo.git("checkout", "-q", "-b", "work")
    kept.repo.write("deploy.env", SECRET)
    kept.commit()
    assert kept.told() == 1
    return kept


def test_a_secret_that_left_the_file_is_still_in_history_and_the_card_says_where(leaked: Kept) -> None:
    leaked.repo.git("rm", "-q", "deploy.env")
    leaked.commit()
    p = leaked.one()
    assert (p.state, leaked.told()) == ("pending", 1)
    assert "removed, but still in commit" in p.raised.title
    assert "held what looks like a credential" in p.raised.claim
    assert "still in the history of branch work" in p.raised.claim
    assert "rotate it" in str(p.raised.action)


def test_a_secret_of_another_branch_is_parked_with_its_name_until_it_is_pushed(leaked: Kept, tmp_path: Path) -> None:
    first = leaked.one().id
    leaked.git("checkout", "-q", "main", what="checkout")
    assert leaked.one().state == "parked"
    assert "is in branch work, and not in the history of what is checked out" in leaked.one().parked
    leaked.restart()
    assert leaked.one().state == "parked"
    push(leaked, tmp_path, "work")
    p = leaked.one()
    assert (p.id, p.state, p.raised.level) == (first, "pending", 2)
    assert not p.delivered, "it left the machine: it is told again"


def test_a_secret_that_no_branch_holds_is_closed_with_that_reason(leaked: Kept) -> None:
    leaked.repo.git("rm", "-q", "--cached", "deploy.env")
    (leaked.repo.root / "deploy.env").unlink()
    leaked.commit("amend")
    assert leaked.one().state == "superseded"
    assert "in no branch any more" in leaked.one().why


def test_a_branch_with_a_secret_that_is_deleted_closes_it(leaked: Kept) -> None:
    leaked.git("checkout", "-q", "main", what="checkout")
    leaked.git("branch", "-D", "work", what="branch")
    assert leaked.one().state == "superseded"
    assert "in no branch any more" in leaked.one().why


@pytest.mark.parametrize(("how", "words"), [("--soft", "staged"), ("--mixed", "untracked")])
def test_a_commit_with_a_secret_that_is_taken_back_leaves_it_staged_or_untracked(
    leaked: Kept, how: str, words: str
) -> None:
    first = leaked.one().id
    leaked.git("reset", "-q", how, "HEAD~1", what="reset")
    p = leaked.one()
    assert (p.id, p.state, leaked.told()) == (first, "pending", 1)
    assert words in p.raised.title


def test_a_secret_that_is_staged_stays_one_when_its_file_is_deleted(kept: Kept) -> None:
    kept.repo.write("deploy.env", SECRET)
    kept.repo.git("add", "deploy.env")
    kept.sense("stage")
    (kept.repo.root / "deploy.env").unlink()
    kept.sense()
    assert (kept.one().state, "staged" in kept.one().raised.title) == ("pending", True)
    kept.git("rm", "-q", "--cached", "deploy.env", what="stage")
    assert kept.one().state == "superseded"
    assert "in no file that git has or would add" in kept.one().why
    kept.write("deploy.env", SECRET)
    assert (kept.one().state, kept.told()) == ("pending", 0)  # urgent, but nobody offered it amid a burst


def test_a_rejected_secret_returns_in_another_place_and_only_there(leaked: Kept) -> None:
    first = leaked.one().id
    decisions.reject(leaked.log, first, "wrong")
    leaked.write("other.txt", "1\n")
    leaked.commit()
    assert (leaked.one().state, leaked.told()) == ("rejected", 1)
    leaked.repo.write("prod.env", SECRET)
    leaked.commit()
    (other,) = [p for p in leaked.all() if p.id != first]
    assert (other.state, leaked.told()) == ("pending", 2)
    assert "prod.env" in other.raised.title
    assert leaked.by_id(first).state == "rejected"
