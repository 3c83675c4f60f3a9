"""A secret whose place changes among committed, staged and untracked: looked for in each place before it is let go."""

from __future__ import annotations

import pytest

from kairos.acting import decisions
from kairos.domain.proposal import Proposal
from tests.daemon.kept import CONFIG, Kept

SECRET = "AWS=AKIAQ3EGRT5HZX7WLMNP\n"
PATH = "deploy.env"


def is_waiting(kept: Kept, words: str) -> Proposal:
    """The one finding, which waits and says where the value is."""
    p = kept.one()
    assert (p.state, words in p.raised.title) == ("pending", True), (p.state, p.why, p.parked, p.raised.title)
    return p


@pytest.fixture
def staged(kept: Kept) -> Kept:
    kept.write(PATH, SECRET)
    is_waiting(kept, "untracked")
    kept.git("add", PATH, what="stage")
    is_waiting(kept, "staged")
    return kept


@pytest.fixture
def committed(staged: Kept) -> Kept:
    staged.commit()
    is_waiting(staged, "committed")
    return staged


UNSTAGING = [("reset", "-q"), ("restore", "--staged", PATH), ("rm", "-q", "--cached", PATH)]


@pytest.mark.parametrize("command", UNSTAGING)
def test_what_is_unstaged_is_untracked_again(staged: Kept, command: tuple[str, ...]) -> None:
    first = staged.one().id
    staged.git(*command, what="stage")
    assert is_waiting(staged, "untracked").id == first
    staged.write("other.txt", "o\n")
    is_waiting(staged, "untracked")


@pytest.mark.parametrize("command", UNSTAGING)
def test_what_was_unstaged_unseen_is_found_with_the_next_edit_or_start(staged: Kept, command: tuple[str, ...]) -> None:
    staged.repo.git(*command)
    staged.write("other.txt", "o\n")
    is_waiting(staged, "untracked")
    staged.git("add", PATH, what="stage")
    staged.repo.git(*command)
    staged.restart()
    is_waiting(staged, "untracked")


def test_an_unstaged_one_in_an_untracked_folder_is_found(kept: Kept) -> None:
    kept.write("ops/keys/" + PATH, SECRET)
    kept.git("add", "ops", what="stage")
    kept.git("reset", "-q", what="stage")
    is_waiting(kept, "untracked")


def test_an_unstaged_one_that_is_gone_or_ignored_closes(staged: Kept) -> None:
    staged.repo.write(".gitignore", PATH + "\n")
    staged.git("reset", "-q", what="stage")
    assert staged.one().state == "superseded"
    assert "or would add" in staged.one().why
    staged.write(".gitignore", "nothing\n")
    is_waiting(staged, "untracked")


def test_one_that_no_rule_ignores_any_more_returns(kept: Kept) -> None:
    kept.write("keys.txt", SECRET)
    kept.write(".gitignore", "keys.txt\n")
    assert kept.one().state == "superseded"
    kept.write(".gitignore", "nothing\n")
    is_waiting(kept, "untracked")


def test_one_that_an_amend_takes_out_of_git_is_untracked(committed: Kept) -> None:
    committed.git("rm", "-q", "--cached", PATH, what="stage")
    is_waiting(committed, "committed")
    committed.repo.git("commit", "-q", "--amend", "--allow-empty", "-m", "without")
    committed.sense("amend")
    is_waiting(committed, "untracked")
    committed.repo.root.joinpath(PATH).unlink()
    committed.sense()
    assert committed.one().state == "superseded"


def test_a_reset_that_keeps_the_index_and_then_an_unstage_leave_it_untracked(committed: Kept) -> None:
    committed.git("reset", "-q", "--soft", "HEAD~1", what="reset")
    is_waiting(committed, "staged")
    committed.git("reset", "-q", what="stage")
    is_waiting(committed, "untracked")


def test_an_unstaged_one_returns_from_a_stash(staged: Kept) -> None:
    staged.git("reset", "-q", what="stage")
    staged.git("stash", "-q", "-u", what="stash")
    assert staged.one().state == "parked"
    staged.git("stash", "pop", "-q", what="stash")
    is_waiting(staged, "untracked")


@pytest.mark.parametrize("index", [["--index"], []])
def test_a_staged_one_returns_from_a_stash_staged_or_unstaged(staged: Kept, index: list[str]) -> None:
    staged.git("stash", "-q", what="stash")
    assert staged.one().state == "parked"
    staged.git("stash", "pop", "-q", *index, what="stash")
    is_waiting(staged, "staged")
    staged.git("stash", "-q", what="stash")
    staged.repo.git("stash", "pop", "-q", *index)
    staged.repo.git("reset", "-q")
    staged.sense("stash")
    is_waiting(staged, "untracked")


def test_one_that_only_a_deleted_branch_held_is_still_found_in_its_file(kept: Kept) -> None:
    kept.git("checkout", "-q", "-b", "work", what="checkout")
    kept.write(PATH, SECRET)
    kept.commit()
    kept.repo.git("symbolic-ref", "HEAD", "refs/heads/main")
    kept.repo.git("reset", "-q")
    kept.repo.git("branch", "-q", "-D", "work")
    kept.sense("checkout")
    is_waiting(kept, "untracked")


def test_one_that_an_amend_took_away_returns_when_git_brings_the_file_back(committed: Kept) -> None:
    """No turn follows what git itself brings back, so the closed finding must be looked at."""
    committed.repo.git("rm", "-q", PATH)
    committed.repo.git("commit", "-q", "--amend", "--allow-empty", "-m", "without")
    committed.sense("amend")
    assert committed.one().state == "superseded"
    committed.repo.write(PATH, SECRET)
    committed.sense("stash")
    is_waiting(committed, "untracked")


def read(kept: Kept) -> None:
    decisions.approve(kept.log, kept.home, CONFIG, kept.one().id)
    kept.world.catch_up()
    assert kept.one().state == "acknowledged"


def test_one_that_was_read_while_it_was_staged_waits_again_when_it_is_committed(staged: Kept) -> None:
    read(staged)
    staged.write("other.txt", "o\n")
    assert staged.one().state == "acknowledged"
    staged.commit()
    assert "since you read it" in is_waiting(staged, "committed").revisions[-1].changed
    read(staged)
    staged.write("other.txt", "p\n")
    staged.commit()
    assert staged.one().state == "acknowledged"


@pytest.mark.parametrize("command", [("rm", "-q", "-f", "--cached", PATH), ("reset", "-q"), ("stash", "-q")])
def test_one_that_was_read_and_taken_out_is_news_when_it_comes_again(staged: Kept, command: tuple[str, ...]) -> None:
    first = staged.one().id
    read(staged)
    staged.git(*command, what="stage")
    (staged.repo.root / PATH).unlink(missing_ok=True)
    staged.sense()
    assert staged.one().state == "superseded"
    staged.write(PATH, SECRET)
    staged.git("add", PATH, what="stage")
    assert is_waiting(staged, "staged").id == first


def test_one_that_was_read_and_is_on_another_branch_stays_read(committed: Kept) -> None:
    read(committed)
    committed.git("branch", "kept")
    committed.git("reset", "-q", "--hard", "HEAD~1", what="reset")
    assert committed.one().state == "acknowledged"
    committed.git("reset", "-q", "--hard", "kept", what="reset")
    assert committed.one().state == "acknowledged"
